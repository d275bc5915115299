//! What the store knows: lists, single messages, tenants and totals.

use atoll_store::{Filter, Owner, Record, Row, TenantSummary, Totals};
use atoll_types::MessageId;

use crate::{Engine, EngineError, now_unix_ms};

impl Engine {
    /// Messages, the last accepted first. Messages whose process has died are given their outcome
    /// before, so that no list shows them as running.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub async fn history(&self, filter: &Filter) -> Result<Vec<Row>, EngineError> {
        let store = self.store().await?;
        store.recover(Owner::is_alive, now_unix_ms()).await?;
        Ok(store.list(filter).await?)
    }

    /// Everything stored about one message; `None` when the store does not know it.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub async fn message(&self, id: MessageId) -> Result<Option<Record>, EngineError> {
        let store = self.store().await?;
        store.recover(Owner::is_alive, now_unix_ms()).await?;
        Ok(store.outcome(id).await?)
    }

    /// Tenants, the last seen first.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub async fn tenants(&self, newest: u32) -> Result<Vec<TenantSummary>, EngineError> {
        Ok(self.store().await?.tenants(newest).await?)
    }

    /// What the store holds.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub async fn totals(&self) -> Result<Totals, EngineError> {
        Ok(self.store().await?.totals().await?)
    }
}
