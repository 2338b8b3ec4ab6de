import type { ReactNode } from 'react'
import { Tooltip } from './kit'

export type Tone = 'neutral' | 'info' | 'good' | 'warn' | 'bad' | 'violet' | 'sky' | 'rose'

/** A short label on a tint. The word carries the meaning; the tint helps to find it. */
export function Chip({ tone = 'neutral', icon, children }: { tone?: Tone; icon?: ReactNode; children: ReactNode }) {
  return (
    <span className={`kp-chip ${tone}`}>
      {icon}
      {children}
    </span>
  )
}

/** A state: a mark whose shape differs by tone, and its word. */
export function StatusDot({ tone, children, pulse }: { tone: Tone; children: ReactNode; pulse?: boolean }) {
  return (
    <span className="kp-status">
      <i className={`kp-dot ${tone}${pulse ? ' pulse' : ''}`} aria-hidden />
      {children}
    </span>
  )
}

/** Tags in one line; what does not fit is counted and shown on hover and focus. */
export function TagList({ tags, max = 2 }: { tags: { id: string; name: string; color?: string }[]; max?: number }) {
  const rest = tags.slice(max)
  return (
    <span className="kp-tags">
      {tags.slice(0, max).map((tag) => (
        <span key={tag.id} className="kp-tag">
          {tag.color && <i style={{ background: tag.color }} aria-hidden />}
          {tag.name}
        </span>
      ))}
      {rest.length > 0 && (
        <Tooltip title={rest.map((tag) => tag.name).join('、')}>
          <span className="kp-tag" tabIndex={0}>
            +{rest.length}
          </span>
        </Tooltip>
      )}
    </span>
  )
}
