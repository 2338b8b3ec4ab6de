import { useQuery } from '@tanstack/react-query'
import { Pencil } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Alert, Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { QueryState } from '@/shared/ui/states'
import type { MachineName } from '../machine'
import { machineQuery } from '../queries'
import { Board } from './Board'
import { EditMachine } from './EditMachine'
import { Flow } from './Flow'
import { PlacedPanel } from './PlacedPanel'

/** The page of one machine: its states with their people, the moves between them, and the way to redefine it. */
export function MachinePage({ machine }: { machine: MachineName }) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  const mayEdit = useCan('segment.write')
  const query = useQuery(machineQuery(machine, lang))
  const [editing, setEditing] = useState(false)
  return (
    <Page>
      <PageHead
        title={t(`${machine}.title`)}
        desc={t(`${machine}.desc`)}
        extra={
          mayEdit && (
            <Button icon={<Pencil size={15} aria-hidden />} disabled={!query.data} onClick={() => setEditing(true)}>
              {t(`${machine}.edit`)}
            </Button>
          )
        }
      />
      <QueryState query={query} height={320}>
        {(data) => (
          <>
            {data.job && <Alert type="info" showIcon title={t('working')} style={{ marginBottom: 12 }} />}
            {!data.job && data.unknown > 0 && <Alert type="info" showIcon title={t('unknown', { count: data.unknown, total: formatInt(data.unknown, lang) })} style={{ marginBottom: 12 }} />}
            {!data.since && data.unknown === 0 && <p className="kp-muted" style={{ margin: '0 0 8px' }}>{t('noBefore')}</p>}
            <Board machine={machine} data={data} />
            <div className="kp-stack">
              <Flow machine={machine} data={data} />
              <PlacedPanel machine={machine} total={(data.states ?? []).reduce((sum, s) => sum + s.hand, 0)} />
            </div>
            {editing && <EditMachine machine={machine} data={data} onClose={() => setEditing(false)} />}
          </>
        )}
      </QueryState>
    </Page>
  )
}
