/** @file Charts of reports, drawn. */

export { drawChart } from './draw.ts';
export { pngOf, svgOf, type TitledChart } from './picture.ts';
