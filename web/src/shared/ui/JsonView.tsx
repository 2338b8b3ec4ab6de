import { useTranslation } from 'react-i18next'
import { CopyText } from './copy'

interface Props {
  value: unknown
  /** Levels open at the start. */
  depth?: number
  label?: string
}

/** A value as a tree that folds. Built from elements, so no text in it can become markup. */
export function JsonView({ value, depth = 1, label }: Props) {
  const { t } = useTranslation()
  return (
    <div className="kp-json" role="group" aria-label={label ?? t('json.label')}>
      <div className="kp-json-copy">
        <CopyText text={JSON.stringify(value, null, 2)} label={label ?? t('json.label')} />
      </div>
      <Node value={value} open={depth} />
    </div>
  )
}

function Node({ name, value, open }: { name?: string; value: unknown; open: number }) {
  if (value !== null && typeof value === 'object') return <Branch name={name} value={value} open={open} />
  return (
    <div className="kp-json-line">
      <Name name={name} />
      <Leaf value={value} />
    </div>
  )
}

function Name({ name }: { name?: string }) {
  return name === undefined ? null : <span className="k">{name}: </span>
}

function Leaf({ value }: { value: unknown }) {
  const kind = value === null ? 'null' : typeof value
  return <span className={`v ${kind}`}>{typeof value === 'string' ? JSON.stringify(value) : String(value)}</span>
}

function Branch({ name, value, open }: { name?: string; value: object; open: number }) {
  const { t } = useTranslation()
  const list = Array.isArray(value)
  const entries = Object.entries(value)
  const [left, right] = list ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) {
    return (
      <div className="kp-json-line">
        <Name name={name} />
        <span className="kp-muted">{left + right}</span>
      </div>
    )
  }
  return (
    <details open={open > 0}>
      <summary>
        <Name name={name} />
        <span className="kp-muted">
          {left} {t('json.entries', { count: entries.length })} {right}
        </span>
      </summary>
      <div className="kp-json-body">
        {entries.map(([k, v]) => (
          <Node key={k} name={k} value={v} open={open - 1} />
        ))}
      </div>
    </details>
  )
}
