//! The figures of a run.

use crate::drive::RunResult;

/// Prints them as one line.
pub fn print(run: &RunResult) {
    let mut micros = run.tally.micros.clone();
    micros.sort_unstable();
    let at = |share: f64| {
        let index = (micros.len() as f64 * share) as usize;
        micros.get(index.min(micros.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    let tally = &run.tally;
    println!(
        "BENCH {{\"requests\":{},\"micros\":{},\"bytes\":{},\"p50\":{},\"p99\":{},\"max\":{},\
         \"connect\":{},\"read\":{},\"write\":0,\"status\":{},\"timeout\":{},\"fast\":[],\
         \"packets_in\":{},\"packets_out\":{},\"lost\":{}}}",
        tally.micros.len(),
        run.took.as_micros(),
        tally.bytes,
        at(0.5),
        at(0.99),
        micros.last().copied().unwrap_or(0),
        run.unconnected,
        run.cut_off,
        tally.wrong,
        run.unanswered,
        run.packets_in,
        run.packets_out,
        run.lost,
    );
}
