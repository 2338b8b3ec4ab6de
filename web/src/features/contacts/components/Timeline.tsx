import { useQuery } from '@tanstack/react-query'
import { Activity } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import { useUrlDays } from '@/shared/lib/days'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan, useTimezone } from '@/shared/lib/session'
import { addDays, dayOf, formatDay } from '@/shared/lib/time'
import { useUrlPatch, useUrlText } from '@/shared/lib/url'
import { DayPicker } from '@/shared/ui/DayPicker'
import { Button, Select } from '@/shared/ui/kit'
import { Empty, ErrorState, Loading, NoMatches } from '@/shared/ui/states'
import { eventNamesQuery, timelinePage } from '../queries'
import { groupByDay } from '../timeline'
import css from './Timeline.module.css'
import { TimelineItem } from './TimelineItem'

/** What a contact did, newest first, by day. */
export function Timeline({ id }: { id: string }) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const patch = useUrlPatch()
  const [names, setNames] = useUrlText('events')
  const [days, setDays] = useUrlDays('day')
  const list = useCursorList(timelinePage(id, { names: names || undefined, from: days.from, to: days.to }))
  const groups = useMemo(() => groupByDay(list.items, zone), [list.items, zone])
  const filtered = names !== '' || days.first !== undefined || days.last !== undefined
  const clear = () => patch({ events: '', dayFrom: '', dayTo: '' })
  const [opened] = useState(Date.now)
  const today = dayOf(opened, zone)
  const title = (day: string) => {
    const text = formatDay(day, lang, today.slice(0, 4))
    if (day === today) return t('timeline.today', { day: text })
    return day === addDays(today, -1) ? t('timeline.yesterday', { day: text }) : text
  }
  return (
    <div>
      <div className={css.filters} role="search">
        <EventFilter value={names ? names.split(',') : []} onChange={(v) => setNames(v.join(','))} seen={list.items} />
        <DayPicker label={t('timeline.days')} value={days} onChange={setDays} />
        {filtered && (
          <Button type="link" size="small" onClick={clear}>
            {t('timeline.clear')}
          </Button>
        )}
      </div>
      {list.error && list.items.length === 0 ? (
        <ErrorState error={list.error} onRetry={list.refetch} />
      ) : list.loading && list.items.length === 0 ? (
        <div className={css.loading}>
          <Loading height={360} />
        </div>
      ) : list.items.length === 0 ? (
        filtered ? (
          <NoMatches onClear={clear} />
        ) : (
          <Empty icon={<Activity size={26} strokeWidth={1.5} aria-hidden />} title={t('timeline.empty')} desc={t('timeline.emptyDesc')} />
        )
      ) : (
        <>
          {groups.map((g) => (
            <section key={g.day} className={css.day} aria-label={title(g.day)}>
              <h3>
                {title(g.day)}
                <span>{t('timeline.count', { count: g.items.length })}</span>
              </h3>
              <ol>
                {g.items.map((f) => (
                  <TimelineItem key={f.id} fact={f} />
                ))}
              </ol>
            </section>
          ))}
          {list.hasMore ? (
            <div className={css.more}>
              <Button loading={list.loadingMore} onClick={list.loadMore}>
                {t('timeline.more')}
              </Button>
            </div>
          ) : (
            <p className={css.end}>{t('timeline.end')}</p>
          )}
        </>
      )}
    </div>
  )
}

interface FilterProps {
  value: string[]
  onChange: (names: string[]) => void
  /** Facts on screen, whose names are offered to those who may not read the dictionary. */
  seen: { name: string; title: string }[]
}

function EventFilter({ value, onChange, seen }: FilterProps) {
  const { t } = useTranslation('contacts')
  const { data } = useQuery(eventNamesQuery(useCan('dictionary.read')))
  const options = useMemo(() => {
    const titles = new Map<string, string>()
    for (const name of value) titles.set(name, name)
    for (const e of data?.items ?? []) titles.set(e.name, e.displayName || e.name)
    for (const f of seen) titles.set(f.name, f.title || f.name)
    return [...titles].map(([name, label]) => ({ value: name, label }))
  }, [value, data, seen])
  return (
    <Select
      mode="multiple"
      allowClear
      maxTagCount="responsive"
      aria-label={t('timeline.events')}
      placeholder={t('timeline.events')}
      style={{ minWidth: 220, maxWidth: 340 }}
      value={value}
      onChange={onChange}
      options={options}
      showSearch={{ optionFilterProp: 'label' }}
    />
  )
}
