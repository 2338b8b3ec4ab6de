import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Select } from '@/shared/ui/kit'
import { tagsQuery } from '@/shared/rules/queries'

interface Props {
  value?: string[]
  onChange?: (ids: string[]) => void
  placeholder?: string
  /** Tags that are not offered. */
  without?: readonly string[]
  id?: string
  autoFocus?: boolean
  /** Closes the list after each pick, where it would cover what comes next. */
  closes?: boolean
}

interface Option {
  value: string
  label: string
  /** What is searched: the path of names, pinyin and initials. */
  search: string
  depth: number
}

/** Picks tags by group and tree, with search by name, pinyin and initials. Works as a form field. */
export function TagSelect({ value, onChange, placeholder, without, id, autoFocus, closes = false }: Props) {
  const [open, setOpen] = useState(false)
  const { t } = useTranslation('contacts')
  const { data, isPending } = useQuery(tagsQuery())
  const options = useMemo(() => {
    const hidden = new Set(without)
    return (data?.groups ?? [])
      .map((g) => {
        const above = new Map<string, Option>()
        for (const x of g.tags) {
          const parent = x.parent ? above.get(x.parent) : undefined
          above.set(x.id, { value: x.id, label: x.name, depth: parent ? parent.depth + 1 : 0, search: [parent?.search, x.name, x.search].filter(Boolean).join(' ') })
        }
        return { label: g.name, options: [...above.values()].filter((x) => !hidden.has(x.value)) }
      })
      .filter((g) => g.options.length > 0)
  }, [data, without])
  return (
    <Select<string[], Option>
      id={id}
      mode="multiple"
      autoFocus={autoFocus}
      loading={isPending}
      value={value}
      onChange={onChange}
      open={open}
      onOpenChange={setOpen}
      onSelect={() => closes && setOpen(false)}
      options={options as never}
      optionRender={(o) => <span style={{ paddingInlineStart: o.data.depth * 16 }}>{o.data.label}</span>}
      showSearch={{ optionFilterProp: 'search' }}
      placeholder={placeholder ?? t('tags.pick')}
      aria-label={t('tags.pick')}
      notFoundContent={isPending ? undefined : t('tags.none')}
      style={{ width: '100%' }}
    />
  )
}
