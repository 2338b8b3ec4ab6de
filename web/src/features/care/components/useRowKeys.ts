import { useEffect, type RefObject } from 'react'

/** Whether keys belong to something else just now: a field, a dialog, a menu. */
function busy(at: Element | null): boolean {
  if (document.querySelector('[role="dialog"], .ant-select-dropdown:not(.ant-select-dropdown-hidden), .ant-popover:not(.ant-popover-hidden)')) return true
  if (at instanceof HTMLInputElement) return at.type !== 'checkbox'
  return at !== null && at.closest('textarea, [contenteditable="true"], .ant-select') !== null
}

/** Walks a table's rows by j and k, and runs what another key stands for on the row that has the focus. */
export function useRowKeys(box: RefObject<HTMLElement | null>, keys: Record<string, (row: number) => void>) {
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.metaKey || e.ctrlKey || e.altKey || busy(document.activeElement)) return
      const rows = [...(box.current?.querySelectorAll('tbody tr') ?? [])]
      const at = rows.findIndex((r) => r.contains(document.activeElement))
      if (e.key === 'j' || e.key === 'k') {
        const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + (e.key === 'j' ? 1 : -1)))]
        const stop = next?.querySelector<HTMLElement>('a, input, button')
        if (!stop) return
        stop.focus()
        stop.scrollIntoView({ block: 'nearest' })
        e.preventDefault()
        return
      }
      const run = keys[e.key]
      if (run && at >= 0) {
        e.preventDefault()
        run(at)
      }
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [box, keys])
}
