import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react'
import { useState, type CSSProperties } from 'react'
import { useTranslation } from 'react-i18next'
import type { Machine, MachinePreview, MachineState } from '@/shared/api/types'
import { ApiError } from '@/shared/api/errors'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Drawer } from '@/shared/ui/Drawer'
import { Alert, Button } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { newState, statesOf, step, without, type MachineName } from '../machine'
import { preview, save } from '../queries'
import css from './lifecycle.module.css'
import { StateForm } from './StateForm'

/** Redefines a machine: states in their order, each with its rule; who would move is shown before it is saved. */
export function EditMachine({ machine, data, onClose }: { machine: MachineName; data: Machine; onClose: () => void }) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const [states, setStates] = useState(() => statesOf(data))
  const [chosen, setChosen] = useState(states[0]?.id)
  const seen = useMutation({ mutationFn: () => preview(machine, states) })
  const saved = useMutation({
    mutationFn: () => save(machine, data.version, states),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['lifecycle'] })
      toast.done(t('edit.saved'))
      onClose()
    },
  })
  const edit = (next: MachineState[]) => {
    setStates(next)
    seen.reset()
    saved.reset()
  }
  const change = (id: string, patch: Partial<MachineState>) => edit(states.map((s) => (s.id === id ? { ...s, ...patch } : s)))
  const name = (s: MachineState) => (lang === 'en' ? s.name.en || s.name.zh : s.name.zh || s.name.en) || s.id
  const state = states.find((s) => s.id === chosen)
  const add = () => {
    const s = newState(states, t('edit.newName'))
    edit([...states, s])
    setChosen(s.id)
  }
  const reset = () =>
    void confirm({
      title: t('edit.resetTitle'),
      body: t('edit.resetBody'),
      ok: t('edit.reset'),
      run: () => {
        const fresh = (data.defaults ?? []).map((s) => ({ ...s, from: s.from ?? [] }))
        edit(fresh)
        setChosen(fresh[0]?.id)
        return Promise.resolve()
      },
    })
  return (
    <Drawer
      open
      onClose={onClose}
      title={t(`${machine}.edit`)}
      width={960}
      extra={
        <Button size="small" type="text" onClick={reset}>
          {t('edit.reset')}
        </Button>
      }
      footer={
        <div className={css.foot}>
          <p role="status">{seen.data ? t('edit.moved', { count: seen.data.moved, total: formatInt(seen.data.moved, lang) }) : t('edit.previewFirst')}</p>
          <Button loading={seen.isPending} onClick={() => seen.mutate()}>
            {t('edit.preview')}
          </Button>
          <Button type="primary" disabled={!seen.data} loading={saved.isPending} onClick={() => saved.mutate()}>
            {t('edit.save')}
          </Button>
        </div>
      }
    >
      <Fault error={seen.error ?? saved.error} />
      {seen.data && <Moves preview={seen.data} states={states} before={data} name={name} />}
      <div className={css.edit}>
        <div>
          <ol className={css.list} aria-label={t('edit.states')}>
            {states.map((s, i) => (
              <li key={s.id} data-on={s.id === chosen}>
                <button type="button" className={css.pick} aria-current={s.id === chosen} onClick={() => setChosen(s.id)} style={{ '--state': s.color } as CSSProperties}>
                  <i className={css.dot} aria-hidden />
                  {name(s)}
                </button>
                <Button type="text" size="small" disabled={i === 0} aria-label={t('edit.up', { name: name(s) })} icon={<ArrowUp size={13} aria-hidden />} onClick={() => edit(step(states, s.id, -1))} />
                <Button type="text" size="small" disabled={i === states.length - 1} aria-label={t('edit.down', { name: name(s) })} icon={<ArrowDown size={13} aria-hidden />} onClick={() => edit(step(states, s.id, 1))} />
                <Button
                  type="text"
                  size="small"
                  disabled={states.length <= 2 || !s.rule}
                  aria-label={t('edit.remove', { name: name(s) })}
                  icon={<Trash2 size={13} aria-hidden />}
                  onClick={() => {
                    const next = without(states, s.id)
                    edit(next)
                    if (chosen === s.id) setChosen(next[0]?.id)
                  }}
                />
              </li>
            ))}
          </ol>
          <Button size="small" icon={<Plus size={14} aria-hidden />} disabled={states.length >= 20} onClick={add}>
            {t('edit.add')}
          </Button>
          <p className="kp-muted" style={{ marginTop: 12 }}>{t('edit.order')}</p>
        </div>
        {state && <StateForm key={state.id} machine={machine} state={state} others={states.filter((s) => s.id !== state.id)} name={name} onChange={(patch) => change(state.id, patch)} />}
      </div>
    </Drawer>
  )
}

/** What the server refuses, with the part it is about. */
function Fault({ error }: { error: unknown }) {
  const say = useErrorText()
  if (!error) return null
  const field = error instanceof ApiError ? error.fields[0] : undefined
  return <Alert type="error" showIcon title={field ? field.detail : say(error).detail} description={field?.path} style={{ marginBottom: 12 }} />
}

function Moves({ preview, states, before, name }: { preview: MachinePreview; states: MachineState[]; before: Machine; name: (s: MachineState) => string }) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  const label = (id: string) => {
    const now = states.find((s) => s.id === id)
    return now ? name(now) : id === '' ? t('edit.nowhere') : (before.states?.find((s) => s.id === id)?.label ?? id)
  }
  const moves = preview.moves ?? []
  return (
    <Alert
      type={preview.moved > 0 ? 'warning' : 'success'}
      style={{ marginBottom: 12 }}
      title={preview.moved > 0 ? t('edit.wouldMove', { count: preview.moved, total: formatInt(preview.moved, lang), of: formatInt(preview.total, lang) }) : t('edit.nobody')}
      description={
        moves.length > 0 && (
          <table className={css.moves}>
            <thead>
              <tr>
                <th scope="col">{t('flow.from')}</th>
                <th scope="col">{t('flow.to')}</th>
                <th scope="col">{t('flow.people')}</th>
              </tr>
            </thead>
            <tbody>
              {moves.slice(0, 12).map((m) => (
                <tr key={`${m.from}>${m.to}`}>
                  <td>{label(m.from)}</td>
                  <td>{label(m.to)}</td>
                  <td className="kp-num">{formatInt(m.count, lang)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    />
  )
}
