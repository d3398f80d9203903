/** @file What is not done, and what the reader is told. */

/** Thrown where a reader asks for what cannot be; the message is shown, with this status. */
export class Refused extends Error {
  readonly status: 400 | 403 | 404 | 409;

  constructor(message: string, status: 400 | 403 | 404 | 409 = 400) {
    super(message);
    this.name = 'Refused';
    this.status = status;
  }
}
