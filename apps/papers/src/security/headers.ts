/** @file Headers that tell the browser what a page may do. */

import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { Site } from '../site.ts';

/**
 * Sets the content security policy and its companions: everything from this site alone, WebAssembly, pages that are alone
 * in their process, so that they may share memory between threads. An answer that has a policy of its own keeps it.
 */
export function securityHeaders(site: Site): MiddlewareHandler {
  const self = ["'self'"];
  const set = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: self,
      scriptSrc: [...self, "'wasm-unsafe-eval'"],
      workerSrc: self,
      imgSrc: [...self, 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      formAction: self,
    },
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginEmbedderPolicy: 'require-corp',
    crossOriginResourcePolicy: 'same-origin',
    // With "no-referrer" a browser would post our own forms with "Origin: null".
    referrerPolicy: 'same-origin',
    strictTransportSecurity: site.config.url.startsWith('https:') && 'max-age=31536000; includeSubDomains',
    xFrameOptions: 'DENY',
    permissionsPolicy: { camera: [], microphone: [], geolocation: [], payment: [], usb: [] },
  });
  return async (c, next) => {
    let stricter: string | null = null;
    await set(c, async () => {
      await next();
      stricter = c.res.headers.get('content-security-policy');
    });
    if (stricter !== null) c.header('content-security-policy', stricter);
  };
}
