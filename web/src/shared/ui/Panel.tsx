import type { ReactNode } from 'react'

interface Props {
  title?: ReactNode
  desc?: ReactNode
  extra?: ReactNode
  children: ReactNode
  /** Without inner padding, for tables. */
  flush?: boolean
  className?: string
}

/** One paper card of a page. */
export function Panel({ title, desc, extra, children, flush, className }: Props) {
  return (
    <section className={className ? `kp-panel ${className}` : 'kp-panel'}>
      {(title || extra) && (
        <header className="kp-panel-head">
          <div>
            <h2>{title}</h2>
            {desc && <p>{desc}</p>}
          </div>
          {extra && <div className="kp-panel-extra">{extra}</div>}
        </header>
      )}
      <div className={flush ? 'kp-panel-flush' : 'kp-panel-body'}>{children}</div>
    </section>
  )
}
