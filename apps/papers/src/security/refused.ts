/** @file What is not done, and what the reader is told. */

import { HTTPException } from 'hono/http-exception';

/** Thrown where somebody asks for what cannot be; the message is shown, with this status and these headers. */
export class Refused extends HTTPException {
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    message: string,
    status: 400 | 401 | 403 | 404 | 409 | 410 | 413 | 429 = 400,
    headers: Record<string, string> = {},
  ) {
    super(status, { message });
    this.headers = headers;
  }

  override getResponse(): Response {
    return new Response(this.message, {
      status: this.status,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...this.headers },
    });
  }
}
