import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { addDays } from '@/shared/lib/time'
import { BulkField } from '@/shared/ui/BulkAction'
import { Button, Input, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { SPANS, spanOf, type Choice } from '../choice'
import type { MachineName } from '../machine'
import { machineQuery } from '../queries'
import css from './lifecycle.module.css'

interface Props {
  machine: MachineName
  value: Partial<Choice>
  onChange: (next: Partial<Choice>) => void
  now: number
  /** Where they stand now: it may be chosen too, to hold them there. */
  at?: string
}

/** Where to, until when it is held, and why. */
export function PlaceFields({ machine, value, onChange, now, at }: Props) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const say = useErrorText()
  const query = useQuery(machineQuery(machine, lang))
  const { first, last } = spanOf(now, zone)
  const put = (patch: Partial<Choice>) => onChange({ ...value, ...patch })
  return (
    <>
      <BulkField label={t(`place.to.${machine}`)}>
        <Select
          aria-label={t(`place.to.${machine}`)}
          placeholder={query.error ? say(query.error).title : t('place.choose')}
          loading={query.isLoading}
          status={query.error ? 'error' : undefined}
          value={value.state}
          onChange={(state: string) => put({ state })}
          options={(query.data?.states ?? []).map((s) => ({ value: s.id, label: s.id === at ? t('place.stay', { name: s.label }) : s.label }))}
        />
      </BulkField>
      <div className={css.until}>
        <BulkField label={t('place.until')}>
          <Input type="date" min={first} max={last} value={value.until} onChange={(e) => put({ until: e.target.value })} />
        </BulkField>
        <span className={css.spans}>
          {SPANS.map((days) => (
            <Button key={days} size="small" type={value.until === addDays(first, days) ? 'primary' : 'default'} aria-pressed={value.until === addDays(first, days)} onClick={() => put({ until: addDays(first, days) })}>
              {t(`place.span.${days}`)}
            </Button>
          ))}
        </span>
      </div>
      <BulkField label={t('place.note')}>
        <Input value={value.note} maxLength={200} placeholder={t('place.notePlaceholder')} onChange={(e) => put({ note: e.target.value })} />
      </BulkField>
      <p className={`kp-muted ${css.hint}`}>{t('place.hint')}</p>
    </>
  )
}
