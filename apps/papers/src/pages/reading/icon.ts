/** @file The site's sign: lines of a text, of which the one that matters is marked. */

/** An SVG of 32 by 32 that is seen on light and on dark. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#0b5a70"/>
<rect x="4" y="12.5" width="24" height="7" rx="1.5" fill="#ffc93f"/>
<path d="M7 8.5h18M7 23.5h12" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/>
<path d="M7 16h18" stroke="#1b2126" stroke-width="2.5" stroke-linecap="round"/>
</svg>
`;
