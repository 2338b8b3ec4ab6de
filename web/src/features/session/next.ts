/** The page to go on to after signing in: only paths of this console, so that a link cannot lead elsewhere. */
export function safeNext(next: string | null): string {
  if (!next || !/^\/(?![/\\])/.test(next) || /^\/(sign-in|setup)\b/.test(next)) return '/'
  return next
}
