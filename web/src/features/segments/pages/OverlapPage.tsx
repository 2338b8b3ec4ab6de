import { useQuery } from '@tanstack/react-query'
import { Blend } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Rule, SegmentOverlap } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlText } from '@/shared/lib/url'
import { Select } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import css from '../components/segments.module.css'
import { overlapQuery, segmentsQuery } from '../queries'
import { contactsLink } from '../templates'

const LEAST = 2
const MOST = 5

/** How two to five segments overlap: every combination with how many are in it, which opens them. */
export default function OverlapPage() {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const [text, setText] = useUrlText('ids')
  const ids = text.split(',').filter(Boolean).slice(0, MOST)
  const all = useQuery(segmentsQuery(lang))
  const query = useQuery(overlapQuery(ids))
  return (
    <Page>
      <PageHead title={t('overlap.title')} desc={t('overlap.desc')} back={{ to: '/segments', label: t('title') }} />
      <Panel>
        <label className={css.field}>
          {t('overlap.choose')}
          <Select
            aria-label={t('overlap.choose')}
            mode="multiple"
            maxCount={MOST}
            value={ids}
            loading={all.isPending}
            onChange={(v: string[]) => setText(v.join(','))}
            showSearch={{ optionFilterProp: 'label' }}
            options={all.data?.items.map((s) => ({ value: s.id, label: s.name }))}
          />
        </label>
      </Panel>
      {ids.length < LEAST ? (
        <Panel>
          <Empty icon={<Blend size={26} strokeWidth={1.5} aria-hidden />} title={t('overlap.none')} desc={t('overlap.noneDesc')} />
        </Panel>
      ) : (
        <QueryState query={query} height={320}>
          {(o) => <Areas overlap={o} />}
        </QueryState>
      )}
    </Page>
  )
}

function Areas({ overlap: o }: { overlap: SegmentOverlap }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const areas = o.areas.filter((a) => a.count > 0).sort((a, b) => b.count - a.count)
  const most = Math.max(1, ...areas.map((a) => a.count))
  const name = (id: string) => o.segments.find((s) => s.id === id)?.name ?? id
  const say = (a: (typeof areas)[number]) => (a.in.length === 1 ? t('overlap.only', { name: name(a.in[0] ?? '') }) : a.in.map(name).join(' ∩ '))
  return (
    <Panel title={t('overlap.areas')} desc={t('overlap.sum', { any: formatInt(o.any, lang), every: formatInt(o.every, lang) })}>
      <div className="kp-grid-box">
        <table className={css.upset} aria-label={t('overlap.areas')}>
          <thead>
            <tr>
              {o.segments.map((s) => (
                <th key={s.id} scope="col">
                  <Link to={`/segments/${s.id}`}>{s.name}</Link>
                  <small className="kp-num">{formatInt(s.members, lang)}</small>
                </th>
              ))}
              <th scope="col">{t('col.members')}</th>
              <th scope="col" className={css.barHead}>
                {t('overlap.area')}
              </th>
            </tr>
          </thead>
          <tbody>
            {areas.map((a) => (
              <tr key={a.in.join()}>
                {o.segments.map((s) => (
                  <td key={s.id} className={css.dotCell}>
                    <i className={css.areaDot} data-in={a.in.includes(s.id)} aria-hidden />
                    <span className="kp-sr">{a.in.includes(s.id) ? t('overlap.in') : t('overlap.out')}</span>
                  </td>
                ))}
                <td className={css.count}>
                  <Link to={contactsLink(a.rule as Rule)} aria-label={t('overlap.open', { what: say(a), count: a.count })}>
                    {formatInt(a.count, lang)}
                  </Link>
                </td>
                <td>
                  <span className={css.area}>
                    <i style={{ width: `${(a.count / most) * 100}%` }} data-many={a.in.length > 1} aria-hidden />
                    <small>
                      {say(a)} · {formatPercent(o.any > 0 ? a.count / o.any : 0, lang)}
                    </small>
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
