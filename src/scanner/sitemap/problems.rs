//! The problems of a document: one per code, with its first position and its count.

use crate::values::Problem;

#[derive(Debug, Default)]
pub(super) struct Problems(Vec<(Problem, u64)>);

impl Problems {
    /// Records a problem. For each code, only the detail of the first one is kept.
    pub(super) fn note(&mut self, code: &str, offset: Option<u64>, detail: impl FnOnce() -> String) {
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| known.code == code) {
            *count += 1;
            return;
        }
        let problem = Problem {
            offset,
            ..Problem::new(code, detail())
        };
        self.0.push((problem, 1));
    }

    /// All problems in the order of their first occurrence.
    pub(super) fn into_list(self) -> Vec<Problem> {
        let counted = |(mut problem, count): (Problem, u64)| {
            if count > 1 {
                problem.detail = format!("{} (the first of {count})", problem.detail);
            }
            problem
        };
        self.0.into_iter().map(counted).collect()
    }
}
