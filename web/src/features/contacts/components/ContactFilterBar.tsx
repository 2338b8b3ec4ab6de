import { useQuery } from '@tanstack/react-query'
import { ListFilter, SlidersHorizontal } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useChannelName, useChannelOptions } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { DayPicker } from '@/shared/ui/DayPicker'
import { FilterBar, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { FilterChips, useDaysText, type FilterChip } from '@/shared/ui/FilterChips'
import { Button, Checkbox, Popover, Segmented, Select } from '@/shared/ui/kit'
import { ruleFieldsQuery, tagsQuery } from '@/shared/rules/queries'
import { KINDS, type ContactFilters, type Kind } from '../filters'
import { describeFilter } from '../queries'
import { countConditions } from '@/shared/rules/rule'
import css from './ContactFilterBar.module.css'
import { RuleBuilder } from './RuleBuilder'
import { useStaff } from '@/shared/rules/useStaff'

interface Props {
  filters: ContactFilters
  onChange: (next: Partial<ContactFilters>) => void
  onClear: () => void
  extra?: ReactNode
}

/** Search, kind and filters of the list of contacts; what is on shows as chips below. */
export function ContactFilterBar({ filters, onChange, onClear, extra }: Props) {
  const { t } = useTranslation(['contacts', 'common'])
  const [open, setOpen] = useState(false)
  const [building, setBuilding] = useState(false)
  const chips = useChips(filters, onChange)
  return (
    <>
      <FilterBar extra={extra}>
        <SearchBox value={filters.q} onChange={(q) => onChange({ q })} placeholder={t('filter.search')} width={340} />
        <Segmented<Kind>
          aria-label={t('filter.kind')}
          value={filters.kind}
          onChange={(kind) => onChange({ kind })}
          options={KINDS.map((k) => ({ value: k, label: t(`kinds.${k}`) }))}
        />
        <Popover open={open} onOpenChange={setOpen} trigger="click" placement="bottomLeft" content={<FilterForm filters={filters} onChange={onChange} />}>
          <Button icon={<SlidersHorizontal size={15} aria-hidden />} aria-expanded={open}>
            {t('common:filter.add')}
            {chips.length > 0 && <span className={css.count}>{chips.length}</span>}
          </Button>
        </Popover>
        <Button icon={<ListFilter size={15} aria-hidden />} onClick={() => setBuilding(true)}>
          {t('rule.open')}
          {filters.where && <span className={css.count}>{countConditions(filters.where)}</span>}
        </Button>
      </FilterBar>
      {building && (
        <RuleBuilder
          rule={filters.where}
          kind={filters.kind}
          onClose={() => setBuilding(false)}
          onApply={(where) => {
            onChange({ where })
            setBuilding(false)
          }}
        />
      )}
      <FilterChips chips={chips} onClear={onClear} />
    </>
  )
}

/** Whom contacts can be filtered by: nobody, or a member of staff. */
function useOwners(): { id: string; name: string }[] {
  const { t } = useTranslation('contacts')
  return [{ id: 'none', name: t('profile.noOwner') }, ...useStaff()]
}

/** The departments with those above them, as the filter builder knows them. */
function useDepartments() {
  const { lang } = usePrefs()
  return useQuery(ruleFieldsQuery(lang)).data?.items.find((f) => f.field === 'department')?.options ?? []
}

function FilterForm({ filters, onChange }: Pick<Props, 'filters' | 'onChange'>) {
  const { t } = useTranslation('contacts')
  const channels = useChannelOptions()
  const owners = useOwners()
  const departments = useDepartments()
  const tags = useQuery(tagsQuery())
  return (
    <div className={css.form}>
      <label>
        <span>{t('filter.channel')}</span>
        <FilterSelect
          label={t('filter.channel')}
          value={filters.channel || undefined}
          onChange={(channel) => onChange({ channel: channel ?? '' })}
          options={channels}
          width={260}
        />
      </label>
      <label>
        <span>{t('filter.tag')}</span>
        <Select
          allowClear
          aria-label={t('filter.tag')}
          placeholder={t('filter.tag')}
          loading={tags.isPending}
          value={filters.tag || undefined}
          onChange={(tag: string | undefined) => onChange(tag ? { tag } : { tag: '', tagBelow: false })}
          showSearch={{ optionFilterProp: 'label' }}
          notFoundContent={t('tags.none')}
          options={tags.data?.groups.map((g) => ({ label: g.name, options: g.tags.map((x) => ({ value: x.id, label: x.name })) }))}
        />
      </label>
      {filters.tag !== '' && (
        <Checkbox checked={filters.tagBelow} onChange={(e) => onChange({ tagBelow: e.target.checked })}>
          {t('rule.children')}
        </Checkbox>
      )}
      <label>
        <span>{t('filter.owner')}</span>
        <FilterSelect
          searchable
          label={t('filter.owner')}
          value={filters.owner || undefined}
          onChange={(owner) => onChange({ owner: owner ?? '' })}
          options={owners.map((u) => ({ value: u.id, label: u.name }))}
          width={260}
        />
      </label>
      {departments.length > 0 && (
        <label>
          <span>{t('filter.department')}</span>
          <FilterSelect
            searchable
            label={t('filter.department')}
            value={filters.department || undefined}
            onChange={(department) => onChange({ department: department ?? '' })}
            options={departments}
            width={260}
          />
        </label>
      )}
      <label>
        <span>{t('filter.created')}</span>
        <DayPicker label={t('filter.created')} value={filters.created} onChange={(days) => onChange({ created: days })} width={260} />
      </label>
    </div>
  )
}

/** The filters that are on, in words. */
function useChips(filters: ContactFilters, onChange: Props['onChange']): FilterChip[] {
  const { t } = useTranslation('contacts')
  const channelName = useChannelName()
  const days = useDaysText()
  const owners = useOwners()
  const departments = useDepartments()
  const tags = useQuery({ ...tagsQuery(), enabled: filters.tag !== '' })
  const tag = tags.data?.groups.flatMap((g) => g.tags).find((x) => x.id === filters.tag)
  const { lang } = usePrefs()
  const told = useQuery({ ...describeFilter({ kind: filters.kind, where: filters.where }, lang), enabled: filters.where !== undefined })
  const chips: FilterChip[] = []
  const add = (key: string, label: string, value: string, off: Partial<ContactFilters>) =>
    value && chips.push({ key, label, value, onRemove: () => onChange(off) })
  add('channel', t('filter.channel'), filters.channel && channelName(filters.channel), { channel: '' })
  const tagName = tag?.name ?? filters.tag
  add('tag', t('filter.tag'), filters.tag && (filters.tagBelow ? t('filter.tagBelow', { tag: tagName }) : tagName), { tag: '', tagBelow: false })
  add('owner', t('filter.owner'), filters.owner && (owners.find((u) => u.id === filters.owner)?.name ?? filters.owner), { owner: '' })
  add('department', t('filter.department'), filters.department && (departments.find((d) => d.value === filters.department)?.label ?? filters.department), { department: '' })
  add('created', t('filter.created'), days(filters.created), { created: {} })
  add('where', t('rule.chip'), filters.where ? (told.data?.sentence ?? '…') : '', { where: undefined })
  return chips
}
