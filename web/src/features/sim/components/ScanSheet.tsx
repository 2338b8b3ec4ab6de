import { useQuery } from '@tanstack/react-query'
import { ChevronLeft, QrCode, Users } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { SimWorld } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { sceneNamesQuery } from '../queries'
import { nameOf } from '../scene'
import css from './sim.module.css'

interface Props {
  world: SimWorld
  busy: boolean
  onScan: (code: string) => void
  onBack: () => void
}

/** The camera: the codes of the pond to hold it at, or one that is pasted. */
export function ScanSheet({ world, busy, onScan, onBack }: Props) {
  const { t } = useTranslation('sim')
  const [pasted, setPasted] = useState('')
  const corps = world.corps ?? []
  const apps = world.apps ?? []
  const names = useQuery({ ...sceneNamesQuery(), enabled: useCan('acquire.read') }).data
  const codes = [
    ...apps.flatMap((a) => (a.codes ?? []).map((c) => ({ ...c, staff: [t('scan.account', { name: a.name })] }))),
    ...corps.flatMap((c) => c.codes ?? []),
  ].filter((c) => !c.over)
  const staff = corps.flatMap((c) => c.staff ?? []).filter((s) => s.active && s.follows)
  const submit = (e: FormEvent) => {
    e.preventDefault()
    if (pasted.trim() && !busy) onScan(pasted.trim())
  }
  return (
    <>
      <header className={css.bar} data-dark>
        <button type="button" onClick={onBack} aria-label={t('chat.back')}>
          <ChevronLeft size={22} aria-hidden />
        </button>
        <div>
          <b>{t('scan.title')}</b>
        </div>
        <span />
      </header>
      <div className={css.camera}>
        <span className={css.frame} aria-hidden>
          <i />
        </span>
        <p>{t('scan.hint')}</p>
        <form onSubmit={submit}>
          <input value={pasted} onChange={(e) => setPasted(e.target.value)} placeholder={t('scan.paste')} aria-label={t('scan.paste')} maxLength={2000} />
          <button type="submit" disabled={!pasted.trim() || busy}>
            {t('scan.go')}
          </button>
        </form>
        {codes.length > 0 && <h3>{t('scan.codes')}</h3>}
        <ul>
          {codes.map((c) => (
            <li key={c.id}>
              <button type="button" disabled={busy} onClick={() => onScan(c.id)}>
                {c.kind === 'join' ? <Users size={30} strokeWidth={1.4} aria-hidden /> : <img src={`/api/sim/codes/${c.id}`} alt="" width={52} height={52} loading="lazy" />}
                <span>
                  <b>{c.remark || nameOf(c.state, names) || t('scan.unnamed')}</b>
                  <small>{c.kind === 'join' ? t('scan.join') : [c.staff?.join('、'), c.scans > 0 ? t('scan.scans', { count: c.scans }) : ''].filter(Boolean).join(' · ')}</small>
                </span>
              </button>
            </li>
          ))}
        </ul>
        <h3>{t('scan.staff')}</h3>
        <ul>
          {staff.map((s) => (
            <li key={s.userid}>
              <button type="button" disabled={busy} onClick={() => onScan(`user:${s.userid}`)}>
                <QrCode size={30} strokeWidth={1.4} aria-hidden />
                <span>
                  <b>{s.name}</b>
                  <small>{s.position}</small>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </>
  )
}
