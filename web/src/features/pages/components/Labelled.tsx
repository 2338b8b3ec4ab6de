import type { ReactNode } from 'react'
import css from './pages.module.css'

/** A field with its name above, and below it a hint or what is wrong. */
export function Labelled({ label, hint, fault, children }: { label: string; hint?: string; fault?: string; children: ReactNode }) {
  return (
    <div className={css.field}>
      {label}
      {children}
      {fault ? (
        <p className={css.fault} role="alert">
          {fault}
        </p>
      ) : (
        hint && <p className={css.hint}>{hint}</p>
      )}
    </div>
  )
}
