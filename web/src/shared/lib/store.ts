/** Reads a remembered value of this device; storage may be blocked or hold nonsense, then undefined. */
export function readStored<T>(key: string, valid: (v: unknown) => v is T): T | undefined {
  try {
    const raw = localStorage.getItem('koipond.' + key)
    if (raw === null) return undefined
    const value: unknown = JSON.parse(raw)
    return valid(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Remembers a value on this device, if the browser lets us. */
export function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem('koipond.' + key, JSON.stringify(value))
  } catch {
    // storage is blocked or full: the choice lasts until the page closes
  }
}
