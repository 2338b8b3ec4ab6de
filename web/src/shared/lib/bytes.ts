/** Bytes of a text as platforms count them: a Chinese character is three. */
export const bytesOf = (s: string): number => new TextEncoder().encode(s).length
