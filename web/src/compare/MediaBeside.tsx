import type { Compared } from "./ComparePage";
export default function Part({ project, compared }: { project: string; compared: Compared[] }) {
  return <p>{project} {compared.length}</p>;
}
