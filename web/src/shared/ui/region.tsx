import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Language } from '../api/types'
import { LANGS } from '../i18n/lang'
import { usePrefs } from '../lib/prefs'
import { offsetLabel, timezones } from '../lib/time'
import { Select } from './kit'

/** What a form field hands to the control inside it. */
interface Controlled<T> {
  id?: string
  value?: T
  onChange?: (value: T) => void
}

/** Picks a time zone by name; each shows how far it is from UTC now. */
export function TimezoneSelect({ id, value, onChange }: Controlled<string>) {
  const options = useMemo(() => timezones(value).map((z) => ({ value: z, label: `${z.replaceAll('_', ' ')} (${offsetLabel(z)})` })), [value])
  return <Select id={id} value={value} onChange={onChange} options={options} showSearch={{ optionFilterProp: 'label' }} />
}

/** Offered first, because most of our readers use them; the rest of the list follows by code. */
const COMMON = ['CNY', 'HKD', 'TWD', 'USD', 'EUR', 'GBP', 'JPY', 'KRW', 'SGD']

/** Picks a currency by code and name. */
export function CurrencySelect({ id, value, onChange }: Controlled<string>) {
  const { lang } = usePrefs()
  const options = useMemo(() => {
    const names = new Intl.DisplayNames(lang, { type: 'currency' })
    const rest = Intl.supportedValuesOf('currency').filter((c) => !COMMON.includes(c))
    return [...COMMON, ...rest].map((c) => ({ value: c, label: `${c} ${names.of(c) ?? ''}` }))
  }, [lang])
  return <Select id={id} value={value} onChange={onChange} options={options} showSearch={{ optionFilterProp: 'label' }} />
}

/** Picks one of the console's languages, each written in itself. */
export function LanguageSelect({ id, value, onChange }: Controlled<Language>) {
  const { t } = useTranslation()
  return <Select<Language> id={id} value={value} onChange={onChange} options={LANGS.map((l) => ({ value: l, label: t(`language.${l}`) }))} />
}
