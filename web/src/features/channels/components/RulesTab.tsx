import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ArrowDown, ArrowUp, Ellipsis, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { ChannelClue, ChannelRule } from '@/shared/api/types'
import { useChannelOptions } from '@/shared/lib/channels'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Input, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState, useErrorText } from '@/shared/ui/states'
import { rulesQuery, setRules, tryRules } from '../queries'
import css from './channels.module.css'

/** What rules look at, the usual ones first; the others stand behind "more". */
const USUAL = ['source', 'medium', 'campaign', 'referrer'] as const
const MORE = ['code', 'link', 'import'] as const
const PARTS = [...USUAL, ...MORE] as const

/** The company's rules that give a channel to what facts carry. */
export function RulesTab() {
  const query = useQuery(rulesQuery())
  return <QueryState query={query}>{(data) => <Rules key={query.dataUpdatedAt} kept={data.rules} />}</QueryState>
}

function Rules({ kept }: { kept: ChannelRule[] }) {
  const { t } = useTranslation(['channels', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const say = useErrorText()
  const mayEdit = useCan('acquire.write')
  const [rules, setList] = useState(kept)
  const saved = useMutation({
    mutationFn: () => setRules(rules.map(({ id: _, ...rule }) => rule)),
    onSuccess: async () => {
      toast.done(t('rules.saved'))
      await client.invalidateQueries({ queryKey: ['channels', 'rules'] })
    },
  })
  const put = (next: ChannelRule[]) => {
    setList(next)
    saved.reset()
  }
  const swap = (i: number, j: number) => {
    const next = [...rules]
    const [a, b] = [next[i], next[j]]
    if (!a || !b) return
    next[i] = b
    next[j] = a
    put(next)
  }
  const fault = saved.error instanceof ApiError ? saved.error.fields[0] : undefined
  const row = Number(/rules[[.](\d+)/.exec(fault?.path ?? '')?.[1] ?? -1)
  return (
    <div className="kp-stack">
      <Panel
        title={t('rules.title')}
        desc={t('rules.desc')}
        extra={
          mayEdit && (
            <>
              <Button icon={<Plus size={15} aria-hidden />} onClick={() => put([...rules, { channel: '' }])}>
                {t('rules.add')}
              </Button>
              <Button type="primary" disabled={rules === kept} loading={saved.isPending} onClick={() => saved.mutate()}>
                {t('common:action.save')}
              </Button>
            </>
          )
        }
      >
        {!!saved.error && <Alert className="kp-form-alert" type="error" showIcon role="alert" title={fault ? t('rules.fault', { n: row + 1, detail: fault.detail }) : say(saved.error).detail} />}
        {rules.length === 0 ? (
          <Empty title={t('rules.empty')} desc={t('rules.emptyDesc')} />
        ) : (
          <ol className={css.rules} style={{ margin: 0, padding: 0, listStyle: 'none' }}>
            {rules.map((rule, i) => (
              <RuleRow
                key={i}
                n={i + 1}
                rule={rule}
                bad={row === i}
                disabled={!mayEdit}
                onChange={(next) => put(rules.map((r, k) => (k === i ? next : r)))}
                onUp={i > 0 ? () => swap(i, i - 1) : undefined}
                onDown={i < rules.length - 1 ? () => swap(i, i + 1) : undefined}
                onRemove={() => put(rules.filter((_, k) => k !== i))}
              />
            ))}
          </ol>
        )}
      </Panel>
      <Trial rules={rules} />
    </div>
  )
}

interface RowProps {
  n: number
  rule: ChannelRule
  bad: boolean
  disabled: boolean
  onChange: (next: ChannelRule) => void
  onUp?: () => void
  onDown?: () => void
  onRemove: () => void
}

function RuleRow({ n, rule, bad, disabled, onChange, onUp, onDown, onRemove }: RowProps) {
  const { t } = useTranslation('channels')
  const options = useChannelOptions()
  const [more, setMore] = useState(MORE.some((p) => rule[p]))
  const parts = more ? PARTS : USUAL
  return (
    <li className={css.rule}>
      <span>{n}</span>
      <Select
        showSearch
        optionFilterProp="label"
        disabled={disabled}
        status={bad ? 'error' : undefined}
        aria-label={t('rules.channelOf', { n })}
        placeholder={t('table.channel')}
        value={rule.channel || undefined}
        onChange={(channel) => onChange({ ...rule, channel })}
        options={options}
      />
      {parts.map((p) => (
        <Input
          key={p}
          disabled={disabled}
          aria-label={t('rules.partOf', { n, part: t(`part.${p}`) })}
          placeholder={t(`part.${p}`)}
          value={rule[p] ?? ''}
          maxLength={128}
          onChange={(e) => onChange({ ...rule, [p]: e.target.value })}
        />
      ))}
      {!disabled && (
        <span className={css.tools}>
          <Button type="text" size="small" icon={<Ellipsis size={14} aria-hidden />} aria-expanded={more} aria-label={t('rules.more', { n })} onClick={() => setMore(!more)} />
          <Button type="text" size="small" disabled={!onUp} icon={<ArrowUp size={14} aria-hidden />} aria-label={t('rules.up', { n })} onClick={onUp} />
          <Button type="text" size="small" disabled={!onDown} icon={<ArrowDown size={14} aria-hidden />} aria-label={t('rules.down', { n })} onClick={onDown} />
          <Button type="text" size="small" icon={<Trash2 size={14} aria-hidden />} aria-label={t('rules.remove', { n })} onClick={onRemove} />
        </span>
      )}
    </li>
  )
}

/** Tries the rules on screen, kept or not, with something that a fact might carry. */
function Trial({ rules }: { rules: ChannelRule[] }) {
  const { t } = useTranslation('channels')
  const say = useErrorText()
  const [clue, setClue] = useState<ChannelClue>({})
  const tried = useMutation({ mutationFn: () => tryRules({ ...clue, rules: rules.map(({ id: _, ...rule }) => rule) }) })
  const told = tried.data
  return (
    <Panel title={t('try.title')} desc={t('try.desc')}>
      <form
        className={css.try}
        onSubmit={(e) => {
          e.preventDefault()
          tried.mutate()
        }}
      >
        {USUAL.map((p) => (
          <label key={p}>
            <div className="kp-muted">{t(`part.${p}`)}</div>
            <Input value={clue[p] ?? ''} maxLength={128} onChange={(e) => setClue({ ...clue, [p]: e.target.value })} />
          </label>
        ))}
        <Button htmlType="submit" loading={tried.isPending}>
          {t('try.ok')}
        </Button>
      </form>
      {!!tried.error && <Alert style={{ marginTop: 12 }} type="error" showIcon title={tried.error instanceof ApiError && tried.error.fields[0] ? tried.error.fields[0].detail : say(tried.error).detail} />}
      {told && (
        <Alert
          style={{ marginTop: 12 }}
          type={told.channel ? 'success' : 'info'}
          showIcon
          role="status"
          title={told.channel ? (told.path ?? []).join(' / ') : t('try.nothing')}
          description={t(`try.by.${told.by}`, { n: told.rule ?? 0 })}
        />
      )}
    </Panel>
  )
}
