/** @file Whose address is believed. */

import { describe, expect, it } from 'vitest';
import { clientAddress, network } from './address.ts';

describe('clientAddress', () => {
  it('believes nobody where there is no proxy', () => {
    expect(clientAddress('203.0.113.7', '198.51.100.1', 0)).toBe('203.0.113.7');
  });

  it('believes as many proxies as there are, from the nearest on', () => {
    const forwarded = '192.0.2.66, 198.51.100.1, 10.0.0.2';
    expect(clientAddress('10.0.0.1', forwarded, 1)).toBe('10.0.0.2');
    expect(clientAddress('10.0.0.1', forwarded, 2)).toBe('198.51.100.1');
    expect(clientAddress('10.0.0.1', forwarded, 8)).toBe('192.0.2.66');
    expect(clientAddress('10.0.0.1', undefined, 1)).toBe('10.0.0.1');
  });

  it('stops at what is no address', () => {
    expect(clientAddress('10.0.0.1', '192.0.2.66, unknown, 10.0.0.2', 3)).toBe('10.0.0.2');
    expect(clientAddress('', 'x', 1)).toBe('0.0.0.0');
  });

  it('writes one address in one way', () => {
    expect(clientAddress('::ffff:203.0.113.7', undefined, 0)).toBe('203.0.113.7');
    expect(clientAddress('10.0.0.1', '[2001:DB8:0::1]:443', 1)).toBe('2001:db8::1');
    expect(clientAddress('10.0.0.1', '203.0.113.7:5000', 1)).toBe('203.0.113.7');
  });
});

describe('network', () => {
  it('is the address itself, or the first 64 bits of IPv6', () => {
    expect(network('203.0.113.7')).toBe('203.0.113.7');
    expect(network('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(network('2001:db8:1:2::9')).toBe('2001:db8:1:2::/64');
  });
});
