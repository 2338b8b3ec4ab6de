/** The sign-in page that comes back to where the reader was. */
export function signInPath(from: string): string {
  return from === '/' || from === '' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(from)}`
}
