import { Activity, ChevronDown, FileText, RotateCcw, ShoppingBag, Smartphone, StickyNote, Tag, UserRound, UsersRound, Waypoints, type LucideIcon } from 'lucide-react'
import { useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { TimelineFact } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { formatTime } from '@/shared/lib/time'
import { CopyText } from '@/shared/ui/copy'
import { JsonView } from '@/shared/ui/JsonView'
import { DateTime } from '@/shared/ui/values'
import { familyOf, summaryOf, type Family } from '../timeline'
import css from './Timeline.module.css'

const ICONS: Record<Family, LucideIcon> = {
  order: ShoppingBag,
  refund: RotateCcw,
  page: FileText,
  screen: Smartphone,
  tag: Tag,
  note: StickyNote,
  contact: UserRound,
  group: UsersRound,
  stage: Waypoints,
  other: Activity,
}

/** One thing that happened; opens to everything that is known of it. */
export function TimelineItem({ fact }: { fact: TimelineFact }) {
  const { lang } = usePrefs()
  const zone = useTimezone()
  const [open, setOpen] = useState(false)
  const panel = useId()
  const family = familyOf(fact.name)
  const Icon = ICONS[family]
  const summary = summaryOf(fact, lang, useChannelName())
  return (
    <li className={css.item}>
      <span className={css.sign} data-family={family}>
        <Icon size={14} aria-hidden />
      </span>
      <button type="button" className={css.line} aria-expanded={open} aria-controls={open ? panel : undefined} onClick={() => setOpen(!open)}>
        <time dateTime={fact.timestamp}>{formatTime(fact.timestamp, lang, zone)}</time>
        <b>{fact.title || fact.name}</b>
        <span className={css.summary}>
          {summary.map((s, i) => (
            <span key={i}>{s}</span>
          ))}
        </span>
        <ChevronDown size={14} aria-hidden className={css.chevron} />
      </button>
      {open && <Detail fact={fact} id={panel} />}
    </li>
  )
}

function Detail({ fact, id }: { fact: TimelineFact; id: string }) {
  const { t } = useTranslation('contacts')
  const hasContext = fact.context !== undefined && Object.keys(fact.context).length > 0
  return (
    <div className={css.detail} id={id}>
      <dl>
        <div>
          <dt>{t('timeline.name')}</dt>
          <dd>
            <code>{fact.name}</code>
          </dd>
        </div>
        <div>
          <dt>{t('timeline.source')}</dt>
          <dd>
            {fact.importId ? <Link to={`/imports/${fact.importId}`}>{fact.source || t('timeline.import')}</Link> : fact.source || '—'}
          </dd>
        </div>
        <div>
          <dt>{t('timeline.at')}</dt>
          <dd>
            <DateTime at={fact.timestamp} seconds />
          </dd>
        </div>
        <div>
          <dt>{t('timeline.received')}</dt>
          <dd>
            <DateTime at={fact.receivedAt} seconds />
          </dd>
        </div>
        <div>
          <dt>{t('timeline.id')}</dt>
          <dd>
            <CopyText text={fact.id} label={t('timeline.id')} />
          </dd>
        </div>
      </dl>
      {Object.keys(fact.properties).length > 0 && <JsonView value={fact.properties} depth={2} label={t('timeline.properties')} />}
      {hasContext && (
        <details>
          <summary>{t('timeline.context')}</summary>
          <JsonView value={fact.context} depth={1} label={t('timeline.context')} />
        </details>
      )}
    </div>
  )
}
