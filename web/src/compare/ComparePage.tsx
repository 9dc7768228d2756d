/** Runs beside each other. */
export default function ComparePage({ project }: { project: string }) {
  return <main class="run-page">{project}</main>;
}
