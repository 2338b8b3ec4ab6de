/** What stands before a scene code's id in the key that the platform keeps. */
const SCENE = 'koi-sc-'

/** A code in words: a scene code by its name, everything else by what the platform keeps of it. */
export function nameOf(state: string | undefined, names: ReadonlyMap<string, string> | undefined): string {
  if (!state?.startsWith(SCENE)) return state ?? ''
  return names?.get(state.slice(SCENE.length)) ?? state
}
