import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSettled } from '@/shared/lib/settled'
import { Select } from '@/shared/ui/kit'
import { peopleQuery, personQuery } from '../queries'

interface Props {
  /** A contact's id. */
  person: string | undefined
  onPerson: (id: string | undefined) => void
}

/** Chooses anybody by name, phone or number. */
export function PersonPick({ person, onPerson }: Props) {
  const { t } = useTranslation('segments')
  const [typed, setTyped] = useState('')
  const q = useSettled(typed.trim())
  const people = useQuery(peopleQuery(q))
  const chosen = useQuery({ ...personQuery(person ?? ''), enabled: person !== undefined })
  return (
    <Select
      allowClear
      aria-label={t('why.who')}
      placeholder={t('why.placeholder')}
      value={person}
      loading={people.isFetching}
      onChange={(id: string | undefined) => onPerson(id)}
      showSearch={{ onSearch: setTyped, filterOption: false }}
      notFoundContent={q === '' ? t('why.type') : people.isFetching ? '…' : t('why.nobody')}
      options={people.data?.items.map((c) => ({ value: c.id, label: [c.name || t('estimate.unnamed'), c.phone, c.city].filter(Boolean).join(' · ') }))}
      labelRender={({ label }) => label ?? chosen.data?.name ?? '…'}
    />
  )
}
