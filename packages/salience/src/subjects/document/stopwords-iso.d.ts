declare module 'stopwords-iso' {
  /** Words by ISO 639-1 code. */
  const lists: Readonly<Record<string, readonly string[]>>;
  export default lists;
}
