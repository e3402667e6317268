import type { Stream } from '@libp2p/interface'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  CONTROL_PENDING_BYTES_HIGH,
  CONTROL_QUEUED_BYTES_MAX,
  type ControlCodec,
  ControlStream
} from '../../../protocols/wire/control-stream.ts'
import { parseMessage } from '../../../protocols/wire/fields.ts'
import { connectNodes, type NodePair, openStreamPair } from '../../support/stream-pair.ts'

const text: ControlCodec<string, string> = {
  encode: (message) => new TextEncoder().encode(message),
  decode: (bytes) => parseMessage('text', () => new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}
const signal = new AbortController().signal

describe('control stream', () => {
  let nodes: NodePair<Record<string, never>>
  let count = 0

  beforeAll(async () => {
    nodes = await connectNodes({})
  })
  afterAll(() => nodes.stop())

  async function open(): Promise<{
    ours: ControlStream<string, string>
    theirs: ControlStream<string, string>
    raw: Stream
  }> {
    let theirs: ControlStream<string, string> | undefined
    count += 1
    const pair = await openStreamPair(nodes, `/test/control/${count}`, (stream) => {
      theirs = new ControlStream(stream, text)
    })
    if (theirs === undefined) throw new Error('no stream arrived')
    return { ours: new ControlStream(pair.outbound, text), theirs, raw: pair.outbound }
  }

  test('carries messages in order, both ways, and ends cleanly', async () => {
    const { ours, theirs } = await open()
    for (const message of ['a', '', 'c'.repeat(65_536)]) ours.send(message)
    await ours.close()
    const received: string[] = []
    for await (const message of theirs.messages({ signal })) received.push(message)
    expect(received.map((message) => message.length)).toEqual([1, 0, 65_536])
    theirs.send('answer')
    await theirs.close()
    expect(await ours.read({ signal })).toBe('answer')
    expect(await ours.read({ signal })).toBeUndefined()
  })

  test('loses nothing when a read times out or is given up', async () => {
    const { ours, theirs } = await open()
    await expect(theirs.read({ signal, timeoutMs: 5 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
    const given = new AbortController()
    const reading = theirs.read({ signal: given.signal })
    given.abort(new Error('given up'))
    await expect(reading).rejects.toThrow('given up')
    ours.send('late')
    expect(await theirs.read({ signal })).toBe('late')
  })

  test('resets the stream at a message that cannot be decoded', async () => {
    const { theirs, raw } = await open()
    raw.send(Uint8Array.of(1, 0xff))
    await expect(theirs.read({ signal })).rejects.toMatchObject({ code: 'MESSAGE_MALFORMED' })
    await expect(theirs.read({ signal })).rejects.toMatchObject({ code: 'MESSAGE_MALFORMED' })
    expect(theirs.signal.aborted).toBe(true)
  })

  test('resets the stream at a message that is too large, while nobody reads', async () => {
    const { ours, theirs, raw } = await open()
    const ended = new Promise((resolve) => theirs.signal.addEventListener('abort', resolve))
    raw.send(Uint8Array.of(0xff, 0xff, 0xff, 0x0f))
    await ended
    expect(theirs.signal.reason).toMatchObject({ code: 'FRAME_TOO_LARGE' })
    await expect(ours.read({ signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
    expect(() => ours.send('x')).toThrow(expect.objectContaining({ code: 'STREAM_ENDED' }))
    expect(() => theirs.send('c'.repeat(65_537))).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
  })

  test('tells a stream that ends inside a message from one that is closed', async () => {
    const { theirs, raw } = await open()
    raw.send(Uint8Array.of(5, 1))
    await raw.close()
    await expect(theirs.read({ signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('ends all waits when the other side resets', async () => {
    const { theirs, raw } = await open()
    const reading = theirs.read({ signal })
    raw.abort(new Error('gone'))
    await expect(reading).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  test('brakes a sender whose messages are not read, and cuts off one that never is', async () => {
    const { ours, theirs, raw } = await open()
    const message = 'm'.repeat(60_000)
    let sentBytes = 0
    const flood = (): void => {
      while (true) {
        ours.send(message)
        sentBytes += message.length
      }
    }
    expect(flood).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }))
    expect(raw.writeBufferLength).toBeLessThanOrEqual(CONTROL_QUEUED_BYTES_MAX)
    expect(sentBytes).toBeLessThan(CONTROL_QUEUED_BYTES_MAX + 2 * 1024 * 1024)
    await expect(ours.read({ signal })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(theirs).toBeDefined()
  })

  test('goes on after a pause, with every message in its place', async () => {
    const { ours, theirs } = await open()
    const total = (8 * CONTROL_PENDING_BYTES_HIGH) / 16_384
    const sending = (async () => {
      for (let index = 0; index < total; index += 1) await ours.write(`${index}`.padEnd(16_384), { signal })
      await ours.close()
    })()
    const received: number[] = []
    for await (const message of theirs.messages({ signal })) {
      received.push(Number(message))
      if (received.length % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await sending
    expect(received).toEqual(Array.from({ length: total }, (_, index) => index))
  })
})
