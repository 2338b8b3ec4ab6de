import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Match, MatchEvidence, MatchFace } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { Tooltip } from '@/shared/ui/kit'
import { DateTime, NameMark, None } from '@/shared/ui/values'
import { differences, linesOf, strength, type Line, type Piece } from '../compare'
import css from './Sides.module.css'

/** Two people side by side, field by field, with what each field says. */
export function Sides({ pair }: { pair: Pick<Match, 'a' | 'b' | 'evidence'> }) {
  const { t } = useTranslation('matches')
  return (
    <table className={css.sides}>
      <thead>
        <tr>
          <th scope="col">
            <span className="kp-sr">{t('side.field')}</span>
          </th>
          <Head face={pair.a} />
          <Head face={pair.b} />
          <th scope="col">{t('side.evidence')}</th>
        </tr>
      </thead>
      <tbody>
        {linesOf(pair).map((l) => (
          <Row key={l.field} line={l} />
        ))}
      </tbody>
    </table>
  )
}

function Head({ face }: { face: MatchFace }) {
  const { t } = useTranslation('matches')
  const name = face.name || t('unnamed')
  return (
    <th scope="col" className={css.who}>
      <Link to={`/contacts/${face.id}`}>
        <NameMark name={name} size={26} />
        <span>
          <b>{name}</b>
          <small>
            {t('side.since')} <DateTime at={face.createdAt} dateOnly /> · {t('side.orders', { count: face.orders })}
          </small>
        </span>
      </Link>
    </th>
  )
}

function Row({ line }: { line: Line }) {
  const { t } = useTranslation('matches')
  const [only, other] = [line.a, line.b].map((v) => (v.length === 1 ? v[0] : undefined))
  const [a, b] = only !== undefined && other !== undefined ? differences(shown(line, only), shown(line, other)) : [undefined, undefined]
  return (
    <tr>
      <th scope="row">{t(`field.${line.field}`)}</th>
      <td>
        <Value line={line} values={line.a} pieces={a} />
      </td>
      <td>
        <Value line={line} values={line.b} pieces={b} />
      </td>
      <td>{line.evidence ? <Evidence evidence={line.evidence} /> : <span className="kp-muted">{t('side.says.nothing')}</span>}</td>
    </tr>
  )
}

const shown = (line: Line, value: string) => (line.field === 'gender' ? codeText('matches', 'gender', value) : value)

function Value({ line, values, pieces }: { line: Line; values: string[]; pieces: Piece[] | undefined }) {
  if (values.length === 0) return <None />
  if (!pieces) return values.map((v) => <div key={v}>{shown(line, v)}</div>)
  return pieces.map((p, i) => (p.off ? <mark key={i}>{p.text}</mark> : <span key={i}>{p.text}</span>))
}

/** What a field says, in words, with how much it weighs. */
export function Evidence({ evidence }: { evidence: MatchEvidence }) {
  const { t } = useTranslation('matches')
  const s = strength(evidence.bits)
  const weight = s === 0 ? t('weight.none') : s > 0 ? t(`weight.for${Math.abs(s) as 1 | 2 | 3}`) : t(`weight.against${Math.abs(s) as 1 | 2 | 3}`)
  const odds = Math.round(2 ** Math.abs(evidence.bits) * 10) / 10
  const tip = evidence.bits >= 0 ? t('weight.times', { odds }) : t('weight.divided', { odds })
  return (
    <Tooltip title={tip}>
      <span className={css.evidence} data-side={Math.sign(s)} tabIndex={0}>
        <i aria-hidden>
          {[1, 2, 3].map((n) => (
            <b key={n} data-on={n <= Math.abs(s)} />
          ))}
        </i>
        <span>
          {codeText('matches', 'level', `${evidence.field}.${evidence.level}`)}
          <small>{weight}</small>
        </span>
      </span>
    </Tooltip>
  )
}
