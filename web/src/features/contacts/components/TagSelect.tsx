import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Select } from '@/shared/ui/kit'
import { tagsQuery } from '../queries'

interface Props {
  value?: string[]
  onChange?: (ids: string[]) => void
  placeholder?: string
  /** Tags that are not offered. */
  without?: readonly string[]
  id?: string
  autoFocus?: boolean
}

/** Picks tags, by group, with search. Works as a form field. */
export function TagSelect({ value, onChange, placeholder, without, id, autoFocus }: Props) {
  const { t } = useTranslation('contacts')
  const { data, isPending } = useQuery(tagsQuery())
  const options = useMemo(() => {
    const hidden = new Set(without)
    return (data?.groups ?? [])
      .map((g) => ({ label: g.name, options: g.tags.filter((x) => !hidden.has(x.id)).map((x) => ({ value: x.id, label: x.name, color: x.color })) }))
      .filter((g) => g.options.length > 0)
  }, [data, without])
  return (
    <Select<string[], (typeof options)[number]['options'][number]>
      id={id}
      mode="multiple"
      autoFocus={autoFocus}
      loading={isPending}
      value={value}
      onChange={onChange}
      options={options as never}
      showSearch={{ optionFilterProp: 'label' }}
      placeholder={placeholder ?? t('tags.pick')}
      aria-label={t('tags.pick')}
      notFoundContent={isPending ? undefined : t('tags.none')}
      style={{ width: '100%' }}
    />
  )
}
