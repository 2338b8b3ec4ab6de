import { useQuery } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { ReplyAccount, ReplyLine } from '@/shared/api/types'
import { Button, Input, Select } from '@/shared/ui/kit'
import { choicesQuery } from '../queries'
import { lineDoes, lineOf, type LineDoes } from '../rule'
import { Fault, type FaultOf } from './Fault'
import css from './replies.module.css'

const MOST = 10
// Pages and mini-programs open from a line in customer service alone.
const DOES = { wechat: ['words', 'reply'], wecom: ['words', 'reply', 'page', 'app'] } as const

interface Props {
  account: ReplyAccount
  value: readonly ReplyLine[]
  onChange: (next: ReplyLine[]) => void
  path: string
  faultOf: FaultOf
}

/** The lines of a menu in a message: what stands there, and what a tap does. */
export function MenuLines({ account, value, onChange, path, faultOf }: Props) {
  const { t } = useTranslation('replies')
  const choices = useQuery({ ...choicesQuery(account.id), enabled: value.some((l) => l.reply !== undefined) })
  const put = (i: number, next: ReplyLine) => onChange(value.map((l, k) => (k === i ? next : l)))
  const text = (i: number, key: 'text' | 'url' | 'appId' | 'appPath', label: string) => (
    <div className="kp-grow">
      <Input
        value={value[i]?.[key] ?? ''}
        aria-label={label}
        placeholder={label}
        status={faultOf(`${path}[${i}].${key}`) ? 'error' : undefined}
        onChange={(e) => put(i, { ...value[i], text: value[i]?.text ?? '', [key]: e.target.value })}
      />
      <Fault text={faultOf(`${path}[${i}].${key}`)} />
    </div>
  )
  return (
    <div className="kp-stack tight">
      {value.map((l, i) => (
        <div key={i} className={css.tapLine}>
          {text(i, 'text', t('line.text', { n: i + 1 }))}
          <Select<LineDoes> aria-label={t('line.does', { n: i + 1 })} value={lineDoes(l)} onChange={(does) => put(i, lineOf(l.text, does))} options={DOES[account.kind].map((k) => ({ value: k, label: t(`line.${k}`) }))} style={{ width: 124 }} />
          <Button type="text" disabled={value.length === 1} aria-label={t('line.remove', { n: i + 1 })} icon={<Trash2 size={15} aria-hidden />} onClick={() => onChange(value.filter((_, k) => k !== i))} />
          {l.reply !== undefined && (
            <div className={css.tapMore}>
              <Select
                aria-label={t('line.choose', { n: i + 1 })}
                loading={choices.isPending}
                showSearch={{ optionFilterProp: 'label' }}
                placeholder={t('menu.choose')}
                value={l.reply || undefined}
                onChange={(reply: string) => put(i, { text: l.text, reply })}
                options={(choices.data ?? []).map((r) => ({ value: r.id, label: r.off ? t('menu.resting', { name: r.name }) : r.name }))}
                style={{ width: '100%' }}
              />
              <Fault text={faultOf(`${path}[${i}].reply`)} />
            </div>
          )}
          {l.url !== undefined && <div className={css.tapMore}>{text(i, 'url', t('line.url', { n: i + 1 }))}</div>}
          {l.appId !== undefined && (
            <div className={css.tapMore}>
              {text(i, 'appId', t('line.appId', { n: i + 1 }))}
              {text(i, 'appPath', t('line.appPath', { n: i + 1 }))}
            </div>
          )}
          <Fault text={faultOf(`${path}[${i}]`)} />
        </div>
      ))}
      <Fault text={faultOf(path)} />
      <div>
        <Button size="small" icon={<Plus size={14} aria-hidden />} disabled={value.length >= MOST} onClick={() => onChange([...value, { text: '' }])}>
          {t('line.add')}
        </Button>
      </div>
    </div>
  )
}
