import css from './replies.module.css'

/** What is wrong with a part of the form, by its path. */
export type FaultOf = (path: string) => string | undefined

/** A fault below its field. */
export function Fault({ text }: { text: string | undefined }) {
  return text ? (
    <p className={css.fault} role="alert">
      {text}
    </p>
  ) : null
}
