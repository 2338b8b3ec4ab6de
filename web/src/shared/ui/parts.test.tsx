import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { describe, expect, it, vi } from 'vitest'
import { renderPage, someone } from '../../../test/render'
import { ApiError } from '../api/errors'
import { Chart } from './Chart'
import { useConfirm } from './feedback'
import { JsonView } from './JsonView'
import { Masked } from './Masked'
import { UploadDrop } from './UploadDrop'

const show = (page: React.ReactNode, permissions: string[] = []) => renderPage(page, { at: '/x', path: '/x', me: someone({ permissions }) })

describe('Masked', () => {
  it('opens only for those who may', () => {
    show(<Masked value="138****2353" label="手机号" reveal={vi.fn()} />)
    expect(screen.getByText('138****2353')).toBeTruthy()
    expect(screen.queryByRole('button')).toBeNull()
  })
  it('wants a reason, then shows the value', async () => {
    const reveal = vi.fn(async () => '13812342353')
    show(<Masked value="138****2353" label="手机号" reveal={reveal} />, ['contact.unmask'])
    await userEvent.click(screen.getByRole('button', { name: '查看完整手机号' }))
    const dialog = await screen.findByRole('dialog')
    await userEvent.click(within(dialog).getByRole('button', { name: '查看' }))
    expect(await screen.findByText('请填写查看原因')).toBeTruthy()
    expect(reveal).not.toHaveBeenCalled()
    await userEvent.type(within(dialog).getByRole('textbox'), ' 客户来电 ')
    await userEvent.click(within(dialog).getByRole('button', { name: '查看' }))
    expect(await screen.findByText('13812342353')).toBeTruthy()
    expect(reveal).toHaveBeenCalledWith('客户来电')
  })
})

describe('useConfirm', () => {
  function Asker({ run, onEnd }: { run: () => Promise<unknown>; onEnd: (done: boolean) => void }) {
    const confirm = useConfirm()
    return (
      <button type="button" onClick={() => void confirm({ title: '删除 3 人', body: '不能恢复', ok: '删除', danger: true, run }).then(onEnd)}>
        问
      </button>
    )
  }
  it('says what it will do, does it, and reports it', async () => {
    const run = vi.fn(async () => undefined)
    const onEnd = vi.fn()
    show(<Asker run={run} onEnd={onEnd} />)
    await userEvent.click(screen.getByRole('button', { name: '问' }))
    const dialog = await screen.findByRole('dialog')
    expect(dialog.textContent).toContain('删除 3 人')
    await userEvent.click(within(dialog).getByRole('button', { name: '删除' }))
    await waitFor(() => expect(onEnd).toHaveBeenCalledWith(true))
    expect(run).toHaveBeenCalledOnce()
  })
  it('does nothing when cancelled', async () => {
    const run = vi.fn(async () => undefined)
    const onEnd = vi.fn()
    show(<Asker run={run} onEnd={onEnd} />)
    await userEvent.click(screen.getByRole('button', { name: '问' }))
    await userEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: '取消' }))
    await waitFor(() => expect(onEnd).toHaveBeenCalledWith(false))
    expect(run).not.toHaveBeenCalled()
  })
  it('stays open after a failure, says why, and can be tried again', async () => {
    const run = vi.fn().mockRejectedValueOnce(new ApiError({ status: 409, code: 'x', detail: '正在使用，不能删除。' })).mockResolvedValueOnce(undefined)
    const onEnd = vi.fn()
    show(<Asker run={run} onEnd={onEnd} />)
    await userEvent.click(screen.getByRole('button', { name: '问' }))
    const dialog = await screen.findByRole('dialog')
    await userEvent.click(within(dialog).getByRole('button', { name: '删除' }))
    expect(await screen.findByText('正在使用，不能删除。')).toBeTruthy()
    expect(onEnd).not.toHaveBeenCalled()
    await userEvent.click(within(dialog).getByRole('button', { name: '删除' }))
    await waitFor(() => expect(onEnd).toHaveBeenCalledWith(true))
  })
})

describe('JsonView', () => {
  it('shows text as text, never as markup', () => {
    const { container } = show(<JsonView value={{ note: '<img src=x onerror=alert(1)>', n: 3, none: null, list: [] }} />)
    expect(container.querySelector('img')).toBeNull()
    expect(screen.getByText('"<img src=x onerror=alert(1)>"')).toBeTruthy()
    expect(screen.getByText('null')).toBeTruthy()
  })
})

describe('UploadDrop', () => {
  it('sends the file, shows how much has gone, and hands over the answer', async () => {
    let finish: (v: string) => void = () => undefined
    const onDone = vi.fn()
    const upload = vi.fn((_f: File, progress: (n: number) => void) => {
      progress(0.42)
      return new Promise<string>((r) => (finish = r))
    })
    show(<UploadDrop title="拖到这里" accept=".csv" upload={upload} onDone={onDone} />)
    const file = new File(['a,b'], 'orders.csv')
    await userEvent.upload(document.querySelector('input[type=file]') as HTMLInputElement, file)
    expect((await screen.findByRole('progressbar')).getAttribute('aria-valuenow')).toBe('42')
    finish('id-1')
    await waitFor(() => expect(onDone).toHaveBeenCalledWith('id-1', file))
  })
  it('can be stopped, which is not a failure', async () => {
    const upload = (_f: File, _p: (n: number) => void, signal: AbortSignal) =>
      new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(new DOMException('x', 'AbortError'))))
    show(<UploadDrop title="拖到这里" accept=".csv" upload={upload} onDone={vi.fn()} />)
    await userEvent.upload(document.querySelector('input[type=file]') as HTMLInputElement, new File(['x'], 'a.csv'))
    await userEvent.click(await screen.findByRole('button', { name: '取消' }))
    expect(await screen.findByRole('button', { name: /拖到这里/ })).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })
  it('says why a file was refused', async () => {
    const upload = async () => {
      throw new ApiError({ status: 422, code: 'import.format', detail: '这不是 CSV 或 Excel 文件。' })
    }
    show(<UploadDrop title="拖到这里" accept=".csv" upload={upload} onDone={vi.fn()} />)
    await userEvent.upload(document.querySelector('input[type=file]') as HTMLInputElement, new File(['x'], 'a.csv'))
    expect((await screen.findByRole('alert')).textContent).toContain('这不是 CSV 或 Excel 文件。')
  })
})

describe('Chart', () => {
  it('can be read as a table', async () => {
    const series = [
      { key: 'new', name: '新增', values: [1, 20000] },
      { key: 'active', name: '活跃', values: [3, 4] },
    ]
    function Page() {
      const [buckets] = useState(['03/01', '03/02'])
      return <Chart label="趋势" buckets={buckets} series={series} format={(v) => `${v} 人`} bucketTitle="日期" />
    }
    show(<Page />)
    await userEvent.click(screen.getByRole('button', { name: '表格' }))
    const table = within(screen.getByRole('region', { name: '趋势' }))
    expect(table.getAllByRole('columnheader').map((h) => h.textContent)).toEqual(['日期', '新增', '活跃'])
    expect(table.getByRole('row', { name: '03/02 20000 人 4 人' })).toBeTruthy()
  })
})
