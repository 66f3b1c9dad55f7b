//! How much of something a client may do in a row, and how fast it may go on.

use std::time::Duration;

use tokio::time::Instant;

/// A budget that is spent by what costs and nothing brings forward, and comes back by itself.
#[derive(Debug)]
pub(super) struct Budget {
    spent: u32,
    most: u32,
    each_second: u32,
    /// What was spent was counted down to here.
    since: Instant,
}

impl Budget {
    pub(super) fn new(most: u32, each_second: u32) -> Self {
        Self {
            spent: 0,
            most,
            each_second,
            since: Instant::now(),
        }
    }

    /// Spends so much; `false` when there is no more.
    pub(super) fn spend(&mut self, cost: u32) -> bool {
        self.spent = self.spent.saturating_add(cost);
        if self.spent > self.most {
            self.count_down();
        }
        self.spent <= self.most
    }

    /// Gives back what somebody has brought forward.
    pub(super) const fn earn(&mut self, gain: u32) {
        self.spent = self.spent.saturating_sub(gain);
    }

    fn count_down(&mut self) {
        let passed = self.since.elapsed();
        let back = passed.as_millis() * u128::from(self.each_second) / 1000;
        if back == 0 {
            return;
        }
        self.spent = self
            .spent
            .saturating_sub(u32::try_from(back).unwrap_or(u32::MAX));
        self.since += passed.min(Duration::from_secs(u64::from(u32::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn budget_comes_back_with_time_and_never_beyond_itself() {
        let mut budget = Budget::new(10, 5);
        assert!((0..10).all(|_| budget.spend(1)));
        assert!(!budget.spend(1));
        budget.earn(1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!((0..5).all(|_| budget.spend(1)));
        assert!(!budget.spend(1));
        tokio::time::advance(Duration::from_secs(1000)).await;
        budget.earn(1000);
        assert!(budget.spend(10));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(budget.spend(10));
        assert!(!budget.spend(11));
    }
}
