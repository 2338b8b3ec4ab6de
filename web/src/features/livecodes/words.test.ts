import { describe, expect, it } from 'vitest'
import { bytesOf } from '@/shared/lib/bytes'
import { fillIn } from './words'

describe('texts', () => {
  it('are counted as the platform counts them and filled in as the server does', () => {
    expect(bytesOf('您好')).toBe(6)
    expect(fillIn('{customer}您好，我是{staff}', { customer: '张三', staff: '王芳', code: '', date: '' })).toBe('张三您好，我是王芳')
  })
})
