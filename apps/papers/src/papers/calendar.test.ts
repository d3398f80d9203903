import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayOf } from '../site.ts';
import { daysAfter, isDay, monthOf, spanOfMonth, spanOfWeek, weekOf } from './calendar.ts';

const days = fc
  .integer({ min: Date.UTC(1500, 0, 4) / 86_400_000, max: Date.UTC(2999, 11, 24) / 86_400_000 })
  .map((n) => dayOf(new Date(n * 86_400_000)));

describe('days, weeks and months', () => {
  it('a day is one of the calendar', () => {
    expect(isDay('2024-02-29')).toBe(true);
    for (const none of [
      '2025-02-29',
      '2025-02-30',
      '2025-13-01',
      '2025-1-1',
      '1499-12-31',
      '3000-01-01',
      'today',
      '',
    ]) {
      expect(isDay(none), none).toBe(false);
    }
  });

  it('a week belongs to the year of its Thursday', () => {
    expect(weekOf('2024-12-30')).toBe('2025-W01');
    expect(weekOf('2021-01-03')).toBe('2020-W53');
    expect(weekOf('2025-10-28')).toBe('2025-W44');
  });

  it('a week runs from Monday to Sunday', () => {
    expect(spanOfWeek('2025-W44')).toEqual({ from: '2025-10-27', to: '2025-11-02' });
    expect(spanOfWeek('2020-W53')).toEqual({ from: '2020-12-28', to: '2021-01-03' });
  });

  it('there is no week 53 in 2025, no week 0, no month 13', () => {
    for (const none of ['2025-W53', '2025-W00', '2025-W60', '2025-44', '0000-W01']) {
      expect(spanOfWeek(none), none).toBeUndefined();
    }
    expect(spanOfMonth('2025-13')).toBeUndefined();
    expect(spanOfMonth('2025-1')).toBeUndefined();
  });

  it('a month ends on its last day', () => {
    expect(spanOfMonth('2024-02')).toEqual({ from: '2024-02-01', to: '2024-02-29' });
    expect(spanOfMonth('2025-12')).toEqual({ from: '2025-12-01', to: '2025-12-31' });
  });

  it('every day lies in its own week and month, and every week has seven days', () => {
    fc.assert(
      fc.property(days, (day) => {
        const week = spanOfWeek(weekOf(day))!;
        const month = spanOfMonth(monthOf(day))!;
        expect(week.from <= day && day <= week.to).toBe(true);
        expect(month.from <= day && day <= month.to).toBe(true);
        expect(daysAfter(week.from, 6)).toBe(week.to);
      }),
    );
  });
});
