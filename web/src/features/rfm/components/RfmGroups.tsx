import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Rfm } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Tooltip } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { groupLink, tierLink } from '../grid'
import css from './rfm.module.css'
import { useMoney } from './useMoney'

/** The nine groups: how many, what they came to together and each. */
export function RfmGroups({ data }: { data: Rfm }) {
  const { t } = useTranslation('rfm')
  const { lang } = usePrefs()
  const money = useMoney(data)
  return (
    <Panel title={t('groups.title')} desc={t('groups.desc')} flush>
      <div className={css.scroll} style={{ padding: '0 16px 12px' }}>
        <table className={css.groups}>
          <thead>
            <tr>
              <th scope="col">{t('groups.group')}</th>
              <th scope="col">{t('groups.people')}</th>
              <th scope="col">{t('groups.share')}</th>
              <th scope="col">{t('groups.each')}</th>
              <th scope="col">{t('groups.money')}</th>
            </tr>
          </thead>
          <tbody>
            {(data.groups ?? []).map((g) => (
              <tr key={g.id}>
                <td>
                  <Tooltip title={g.note}>
                    <span className="kp-hinted" tabIndex={0}>
                      {g.label}
                    </span>
                  </Tooltip>
                </td>
                <td>{g.people > 0 ? <Link to={groupLink(data.model.id ?? '', g.id)}>{formatInt(g.people, lang)}</Link> : 0}</td>
                <td>{formatPercent(data.total.people ? g.people / data.total.people : 0, lang)}</td>
                <td>{g.people > 0 ? money(g.money / g.people) : '–'}</td>
                <td>{money(g.money)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

/** The four tiers, each of which opens its people. */
export function RfmTiers({ data }: { data: Rfm }) {
  const { t } = useTranslation('rfm')
  const { lang } = usePrefs()
  return (
    <div className={css.tiers}>
      {(data.tiers ?? []).map((x) => (
        <Link key={x.id} className={`kp-panel ${css.tier}`} to={tierLink(data.model.id ?? '', x.id)}>
          <span className="kp-muted">{x.label}</span>
          <b>{formatInt(x.people, lang)}</b>
          <small className="kp-muted">
            {t('tiers.hint', { people: formatPercent(data.total.people ? x.people / data.total.people : 0, lang), money: formatPercent(data.total.money > 0 ? x.money / data.total.money : 0, lang) })}
          </small>
        </Link>
      ))}
    </div>
  )
}
