/** The mark: a line that settles, with a rider ahead of it. */

export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M6 9c3 0 4 12 8 12s4-6 7-6 3 2 5 2" />
      <circle cx="26" cy="17" r="3" />
    </svg>
  );
}
