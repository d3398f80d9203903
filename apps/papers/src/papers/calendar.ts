/** @file Days, ISO weeks and months as addresses write them: "2025-10-28", "2025-W44", "2025-10". */

import { type Day, dayOf } from '../site.ts';
import { isDay as isCalendarDay } from './facts.ts';

/** A run of days that has a page, both ends included. */
export interface Span {
  readonly from: Day;
  readonly to: Day;
}

const msPerDay = 86_400_000;

/** The day so many days after another. */
export function daysAfter(day: Day, count: number): Day {
  return dayOf(new Date(Date.parse(`${day}T00:00:00Z`) + count * msPerDay));
}

/** Whether a text is a day of the calendar that has a page, written as "2025-10-28": of a year from 1500 to 2999. */
export function isDay(text: string): boolean {
  return isCalendarDay(text) && text < '3000';
}

/** 1 for Monday to 7 for Sunday. */
function weekday(day: Day): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay() || 7;
}

/** The ISO 8601 week of a day: "2024-12-30" lies in "2025-W01". */
export function weekOf(day: Day): string {
  const thursday = daysAfter(day, 4 - weekday(day));
  const year = thursday.slice(0, 4);
  const days = (Date.parse(thursday) - Date.parse(`${year}-01-01`)) / msPerDay;
  return `${year}-W${String(Math.floor(days / 7) + 1).padStart(2, '0')}`;
}

/** Monday to Sunday of an ISO week; absent where there is no such week, as "2025-W53". */
export function spanOfWeek(week: string): Span | undefined {
  const match = /^(\d{4})-W(\d{2})$/.exec(week);
  if (!match || !isDay(`${match[1]}-01-04`)) return undefined;
  const fourth = `${match[1]}-01-04`;
  const from = daysAfter(fourth, 1 - weekday(fourth) + 7 * (Number(match[2]) - 1));
  return weekOf(from) === week ? { from, to: daysAfter(from, 6) } : undefined;
}

/** The month of a day: "2025-10". */
export function monthOf(day: Day): string {
  return day.slice(0, 7);
}

/** First to last day of a month; absent where there is no such month. */
export function spanOfMonth(month: string): Span | undefined {
  if (!/^\d{4}-\d{2}$/.test(month) || !isDay(`${month}-01`)) return undefined;
  const from = `${month}-01`;
  return { from, to: daysAfter(monthsAfter(month, 1), -1) };
}

/** The first day of the month so many months after another. */
function monthsAfter(month: string, count: number): Day {
  const [year, number] = month.split('-').map(Number);
  return dayOf(new Date(Date.UTC(year, number - 1 + count, 1)));
}

/** A week as readers read it: "2025-W44" is "Week 44, 2025". */
export function writtenWeek(week: string): string {
  const [year, number] = week.split('-W').map(Number);
  return `Week ${number}, ${year}`;
}

const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** A month as readers read it: "2025-10" is "October 2025". */
export function writtenMonth(month: string): string {
  const [year, number] = month.split('-').map(Number);
  return `${monthNames[number - 1]} ${year}`;
}
