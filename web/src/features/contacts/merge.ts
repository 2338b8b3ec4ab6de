/** Takes apart why a profile was merged: what led to it, and the kind of identity that both had, if one did. */
export function mergeWhy(why: string): { by: string; kind: string | undefined } {
  const [by = '', ...rest] = why.split(':')
  return { by, kind: rest.join(':') || undefined }
}
