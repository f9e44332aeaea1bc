// What a stage is called on the page: the process is said where there are several, for their stages may have one name.
import { say } from "./say.js";

export function naming(stages) {
  const isOne = new Set(stages.map((stage) => `${stage.process_id} ${stage.process_version}`)).size <= 1;
  const whole = ({ name, process_name, process_version }) => say("page.funnel.of-process", {
    stage: name, process: process_name ?? say("page.funnel.process"), version: String(process_version),
  });
  return (stage) => (isOne ? stage.name : whole(stage));
}
