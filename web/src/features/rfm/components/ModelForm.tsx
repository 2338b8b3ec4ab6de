import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RfmModel, RfmModelInput } from '@/shared/api/types'
import { ApiError } from '@/shared/api/errors'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Drawer } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Alert, Button, Input, Segmented } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { changeModel, createModel, previewModel, removeModel } from '../queries'
import css from './rfm.module.css'

type Cuts = NonNullable<RfmModelInput['cuts']>
const OWN: Cuts = { r: [30, 90, 180, 270], f: [2, 3, 5, 10], m: [100, 300, 1000, 3000] }

/** Makes a model or changes one; what it would say is shown before it is kept. */
export function ModelForm({ model, only, onClose, onSaved }: { model?: RfmModel; only: boolean; onClose: () => void; onSaved: (id: string) => void }) {
  const { t } = useTranslation(['rfm', 'common'])
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const say = useErrorText()
  const [v, setV] = useState<RfmModelInput>(() =>
    model
      ? { name: model.name, event: model.event, property: model.property, less: model.less, currency: model.currency, days: model.days, cuts: model.cuts }
      : { name: '', event: 'order.paid', property: 'total', less: 'order.refunded', currency: '', days: 365 },
  )
  const seen = useMutation({ mutationFn: () => previewModel(v) })
  const refresh = () => client.invalidateQueries({ queryKey: ['rfm'] })
  const saved = useMutation({
    mutationFn: () => (model?.id ? changeModel(model.id, v) : createModel(v)),
    onSuccess: async (m) => {
      await refresh()
      toast.done(t('model.saved'))
      onSaved(m.id ?? '')
    },
  })
  const put = (patch: Partial<RfmModelInput>) => {
    setV((old) => ({ ...old, ...patch }))
    seen.reset()
    saved.reset()
  }
  const error = seen.error ?? saved.error
  const text = (key: 'name' | 'event' | 'property' | 'less' | 'currency') => (
    <label>
      <div className="kp-muted">{t(`model.${key}`)}</div>
      <Input value={v[key] ?? ''} onChange={(e) => put({ [key]: e.target.value })} autoComplete="off" />
    </label>
  )
  const cuts = (axis: 'r' | 'f' | 'm') => (
    <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
      <legend className="kp-muted">{t(`model.cuts.${axis}`)}</legend>
      <div style={{ display: 'flex', gap: 8 }}>
        {[0, 1, 2, 3].map((i) => (
          <Input
            key={i}
            type="number"
            aria-label={`${t(`model.cuts.${axis}`)} ${i + 1}`}
            value={v.cuts?.[axis]?.[i] ?? 0}
            onChange={(e) => {
              const now = v.cuts ?? OWN
              put({ cuts: { ...now, [axis]: (now[axis] ?? []).map((n, k) => (k === i ? Number(e.target.value) : n)) } })
            }}
          />
        ))}
      </div>
    </fieldset>
  )
  return (
    <Drawer
      open
      onClose={onClose}
      title={model ? t('model.edit') : t('model.new')}
      footer={
        <div style={{ display: 'flex', gap: 8 }}>
          {model?.id && !only && (
            <Button danger onClick={() => void confirm({ title: t('model.removeTitle', { name: model.name }), body: t('model.removeBody'), ok: t('model.remove'), danger: true, run: () => removeModel(model.id ?? '') }).then((done) => done && void refresh().then(() => onSaved('')))}>
              {t('model.remove')}
            </Button>
          )}
          <span style={{ flex: 1 }} />
          <Button loading={seen.isPending} onClick={() => seen.mutate()}>
            {t('model.preview')}
          </Button>
          <Button type="primary" loading={saved.isPending} onClick={() => saved.mutate()}>
            {t('common:action.save')}
          </Button>
        </div>
      }
    >
      <div style={{ display: 'flex', flexDirection: 'column', gap: 14 }}>
        {!!error && <Alert type="error" showIcon title={error instanceof ApiError && error.fields[0] ? error.fields[0].detail : say(error).detail} />}
        {text('name')}
        <div className={css.three}>
          {text('event')}
          {text('property')}
          {text('less')}
        </div>
        <div className={css.three}>
          {text('currency')}
          <label>
            <div className="kp-muted">{t('model.days')}</div>
            <Input type="number" min={7} max={3650} value={v.days} onChange={(e) => put({ days: Number(e.target.value) })} />
          </label>
        </div>
        <div>
          <div className="kp-muted">{t('model.how')}</div>
          <Segmented value={v.cuts ? 'own' : 'quintiles'} onChange={(k) => put({ cuts: k === 'own' ? OWN : undefined })} options={[{ value: 'quintiles', label: t('model.quintiles') }, { value: 'own', label: t('model.own') }]} />
        </div>
        {v.cuts && (
          <>
            {cuts('r')}
            {cuts('f')}
            {cuts('m')}
          </>
        )}
        {seen.data && (
          <Alert
            type="info"
            title={t('model.would', { count: seen.data.total.people, total: formatInt(seen.data.total.people, lang) })}
            description={(seen.data.groups ?? []).map((g) => `${g.label} ${formatInt(g.people, lang)}`).join(' · ')}
          />
        )}
      </div>
    </Drawer>
  )
}
