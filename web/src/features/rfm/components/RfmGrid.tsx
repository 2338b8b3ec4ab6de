import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Rfm } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Segmented, Tooltip } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { chartPalette } from '@/shared/ui/theme'
import { shade, squareLink, squares, type Axis } from '../grid'
import css from './rfm.module.css'
import { useMoney } from './useMoney'

/** Recency against frequency or money: how many stand where, and what part of the money is theirs. A square opens its people. */
export function RfmGrid({ data }: { data: Rfm }) {
  const { t } = useTranslation('rfm')
  const { lang, dark } = usePrefs()
  const [axis, setAxis] = useState<Axis>('f')
  const all = useMemo(() => squares(data, axis), [data, axis])
  const most = Math.max(...all.map((s) => s.people))
  const heat = chartPalette[dark ? 'dark' : 'light'].heat
  const money = useMoney(data)
  const days = data.cuts?.[0] ?? []
  const range = (r: number) => {
    const [low, high] = [days[4 - r], days[5 - r]]
    if (r === 5) return t('grid.upTo', { days: whole(high) })
    if (r === 1) return t('grid.over', { days: whole(low) })
    return t('grid.between', { from: whole(low), to: whole(high) })
  }
  return (
    <Panel
      title={t('grid.title')}
      desc={t('grid.desc')}
      extra={<Segmented<Axis> aria-label={t('grid.axis')} value={axis} onChange={setAxis} options={[{ value: 'f', label: t('grid.f') }, { value: 'm', label: t('grid.m') }]} />}
    >
      <div className={css.grid} role="group" aria-label={t('grid.title')}>
        {all.map((s) => {
          const n = shade(s.people, most)
          const ink = (n >= 3) === !dark ? '#fff' : dark && n >= 3 ? '#10141c' : 'inherit'
          const share = data.total.money > 0 ? s.money / data.total.money : 0
          const style = { background: heat[n], color: ink }
          const label = t('grid.square', { r: s.r, axis: axis.toUpperCase(), x: s.x, people: formatInt(s.people, lang), money: money(s.money) })
          return [
            s.x === 1 && (
              <div key={`r${s.r}`} className={css.axis}>
                <b>R{s.r}</b>
                <span>{range(s.r)}</span>
              </div>
            ),
            s.people === 0 ? (
              <div key={`${s.r}${s.x}`} className={css.square} style={style} aria-label={label}>
                <span className="kp-muted">–</span>
              </div>
            ) : (
              <Tooltip key={`${s.r}${s.x}`} title={label}>
                <Link className={css.square} style={style} to={squareLink(data.model.id ?? '', axis, s)} aria-label={label}>
                  <b>{formatInt(s.people, lang)}</b>
                  <small>{formatPercent(share, lang)}</small>
                </Link>
              </Tooltip>
            ),
          ]
        })}
        <div className={css.axis} />
        {[1, 2, 3, 4, 5].map((x) => (
          <div key={x} className={css.axis}>
            <b>
              {axis.toUpperCase()}
              {x}
            </b>
          </div>
        ))}
      </div>
      <p className="kp-muted" style={{ margin: '8px 0 0' }}>{t('grid.hint')}</p>
    </Panel>
  )
}

const whole = (n: number | undefined) => (n === undefined ? '' : String(Math.round(n)))
