import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Rule } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useSettled } from '@/shared/lib/settled'
import { ExplainTree } from '@/shared/rules/Explain'
import { explainQuery } from '@/shared/rules/queries'
import { Chip } from '@/shared/ui/chips'
import { Select } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { peopleQuery, personQuery } from '../queries'
import css from './segments.module.css'

interface Props {
  rule: Rule
  /** Who is asked about: a contact's id. */
  person: string | undefined
  onPerson: (id: string | undefined) => void
}

/** Why somebody is in or out: choose anybody, and every part of the rule says whether it holds for them. */
export function Why({ rule, person, onPerson }: Props) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const [typed, setTyped] = useState('')
  const q = useSettled(typed.trim())
  const people = useQuery(peopleQuery(q))
  const chosen = useQuery({ ...personQuery(person ?? ''), enabled: person !== undefined })
  const why = useQuery({ ...explainQuery(rule, person ?? '', lang), enabled: person !== undefined })
  return (
    <div className={css.why}>
      <Select
        allowClear
        aria-label={t('why.who')}
        placeholder={t('why.placeholder')}
        value={person}
        loading={people.isFetching}
        onChange={(id: string | undefined) => onPerson(id)}
        showSearch={{ onSearch: setTyped, filterOption: false }}
        notFoundContent={q === '' ? t('why.type') : people.isFetching ? '…' : t('why.nobody')}
        options={people.data?.items.map((c) => ({ value: c.id, label: [c.name, c.phone, c.city].filter(Boolean).join(' · ') }))}
        labelRender={({ label }) => label ?? chosen.data?.name ?? '…'}
      />
      {person !== undefined && (
        <QueryState query={why} height={120}>
          {(w) => (
            <>
              <p className={css.verdict}>
                <Chip tone={w.holds ? 'good' : 'neutral'}>{w.holds ? t('why.in') : t('why.out')}</Chip>
                <Link to={`/contacts/${person}`}>{t('why.profile')}</Link>
              </p>
              <ExplainTree verdict={w.rule} />
            </>
          )}
        </QueryState>
      )}
    </div>
  )
}
