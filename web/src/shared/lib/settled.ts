import { useEffect, useState } from 'react'

/** Typing waits this long before the server is asked. */
const TYPING_MS = 180

/** A text that has stood still for a moment. */
export function useSettled(text: string, ms = TYPING_MS): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), ms)
    return () => clearTimeout(timer)
  }, [text, ms])
  return settled
}
