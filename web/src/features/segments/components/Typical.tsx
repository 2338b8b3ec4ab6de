import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { SegmentTrait } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Checkbox, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { compareQuery, segmentsQuery } from '../queries'
import { contactsLink } from '../templates'
import css from './segments.module.css'

/** What is typical for the people of a segment, against everybody else or another segment. */
export function Typical({ id }: { id: string }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const [other, setOther] = useState<string>()
  const [unsure, setUnsure] = useState(false)
  const all = useQuery(segmentsQuery(lang))
  const query = useQuery(compareQuery(id, other, lang))
  return (
    <Panel
      title={t('typical.title')}
      desc={t('typical.desc')}
      extra={
        <Select
          allowClear
          aria-label={t('typical.with')}
          placeholder={t('typical.everybody')}
          popupMatchSelectWidth={false}
          value={other}
          onChange={(v: string | undefined) => setOther(v)}
          showSearch={{ optionFilterProp: 'label' }}
          options={all.data?.items.filter((s) => s.id !== id).map((s) => ({ value: s.id, label: s.name }))}
        />
      }
    >
      <QueryState query={query} height={280}>
        {(c) => {
          if (c.tooFew) return <p className="kp-muted">{t('typical.tooFew')}</p>
          const shown = c.items.filter((x) => unsure || x.significant)
          return (
            <>
              <p className={css.legend}>
                <span>
                  <i className={css.inside} aria-hidden /> {t('typical.inside', { count: formatInt(c.inside, lang) })}
                </span>
                <span>
                  <i className={css.outside} aria-hidden /> {c.with ? c.with.name : t('typical.everybody')} {formatInt(c.outside, lang)}
                </span>
                <Checkbox checked={unsure} onChange={(e) => setUnsure(e.target.checked)}>
                  {t('typical.unsure')}
                </Checkbox>
              </p>
              {shown.length === 0 && <p className="kp-muted">{t('typical.none')}</p>}
              <ul className={css.traits}>
                {shown.map((x) => (
                  <Trait key={`${x.group}/${x.of ?? ''}/${x.label}`} trait={x} />
                ))}
              </ul>
            </>
          )
        }}
      </QueryState>
    </Panel>
  )
}

function Trait({ trait: x }: { trait: SegmentTrait }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const line = (share: number, kind: string | undefined, what: string) => (
    <span className={css.share}>
      <span className={css.track} role="img" aria-label={`${what} ${formatPercent(share, lang)}`}>
        <i className={kind} style={{ width: `${Math.min(100, share * 100)}%` }} />
      </span>
      <small className="kp-num">{formatPercent(share, lang)}</small>
    </span>
  )
  return (
    <li>
      <span className={css.traitName}>
        <small className="kp-muted">{t(`typical.group.${x.group}`)}{x.of ? ` · ${x.of}` : ''}</small>
        {x.rule ? <Link to={contactsLink(x.rule)}>{x.label}</Link> : x.label}
      </span>
      <span className={css.shares}>
        {line(x.shareInside, css.inside, t('typical.in'))}
        {line(x.shareOutside, css.outside, t('typical.out'))}
      </span>
      <b className={`kp-num ${x.more ? css.up : css.down}`}>
        {x.lift === undefined ? t('typical.only') : `${new Intl.NumberFormat(lang, { maximumFractionDigits: x.lift < 1 ? 2 : 1 }).format(x.lift)}×`}
        <small>{x.more ? t('typical.more') : t('typical.less')}</small>
      </b>
    </li>
  )
}
