import type { RunAnswer } from "../../api/types";
export default function Tab({ record }: { record: RunAnswer }) {
  return <p>{record.id}</p>;
}
