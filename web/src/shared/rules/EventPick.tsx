import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePrefs } from '@/shared/lib/prefs'
import { Select } from '@/shared/ui/kit'
import { useEditing } from './editing'
import { eventPropertiesQuery, type KnownProperty } from './queries'
import css from './Rules.module.css'

interface Option {
  value: string
  label: string
  hint?: string
}

/** A choice of names that are known, which takes others too: an event may be meant before its first fact has come. */
function NamePick({ label, value, options, loading, placeholder, onChange }: { label: string; value: string; options: Option[]; loading?: boolean; placeholder: string; onChange: (v: string) => void }) {
  const { t } = useTranslation('rules')
  const [typed, setTyped] = useState('')
  const known = (name: string) => options.some((o) => o.value === name)
  const own = typed.trim()
  const all = [...options, ...(value && !known(value) && value !== own ? [{ value, label: value }] : []), ...(own && !known(own) ? [{ value: own, label: own, hint: t('newName') }] : [])]
  return (
    <Select
      className={css.what}
      aria-label={label}
      placeholder={placeholder}
      loading={loading}
      value={value || undefined}
      popupMatchSelectWidth={false}
      onChange={(v: string) => onChange(v)}
      showSearch={{
        onSearch: setTyped,
        filterOption: (text, o) => `${o?.label ?? ''} ${String(o?.value ?? '')}`.toLowerCase().includes(text.trim().toLowerCase()),
      }}
      options={all}
      optionRender={(o) => (
        <span className={css.option}>
          {o.data.label}
          {(o.data.hint ?? (o.data.label !== o.data.value ? o.data.value : '')) && <small>{o.data.hint ?? o.data.value}</small>}
        </span>
      )}
    />
  )
}

/** Chooses an event by its name or its title. */
export function EventPick({ value, onChange }: { value: string; onChange: (name: string) => void }) {
  const { t } = useTranslation('rules')
  const { events } = useEditing()
  return <NamePick label={t('event.name')} placeholder={t('event.choose')} value={value} onChange={onChange} options={events.map((e) => ({ value: e.name, label: e.label }))} />
}

/** The properties that an event's facts are known to have. */
export function useProperties(event: string): { items: KnownProperty[]; loading: boolean } {
  const { lang } = usePrefs()
  const { data, isPending } = useQuery({ ...eventPropertiesQuery(event, lang), enabled: event !== '' })
  return { items: data ?? [], loading: isPending && event !== '' }
}

/** Chooses a property of an event's facts. */
export function PropertyPick({ event, value, onChange, only }: { event: string; value: string; onChange: (name: string) => void; only?: (p: KnownProperty) => boolean }) {
  const { t } = useTranslation('rules')
  const { items, loading } = useProperties(event)
  const options = items.filter((p) => !only || only(p)).map((p) => ({ value: p.name, label: p.label }))
  return <NamePick label={t('event.property')} placeholder={t('event.chooseProperty')} loading={loading} value={value} onChange={onChange} options={options} />
}
