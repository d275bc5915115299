//! Runs and the laws behind them, drawn: for a terminal, and as SVG.

use atoll_engine::{Quantity, law};
use atoll_types::TrialRun;
use plotters::prelude::{
    ChartBuilder, Circle, Color as _, IntoDrawingArea as _, LineSeries, RGBColor, SVGBackend, WHITE,
};
use textplots::{Chart, Plot as _, Shape};

use super::Unit;
use crate::commands::explain::calls;
use crate::terminal::{BOLD, size, styled, time};

/// Dots of a terminal's chart; a character has two by four of them.
const WIDTH: u32 = 120;
const HEIGHT: u32 = 40;

/// Points along a line.
const POINTS: u32 = 100;

/// How far lines go beyond the largest size.
const BEYOND: f64 = 2.0;

/// The picture's size, in pixels.
const PICTURE: (u32, u32) = (900, 420);

const BLUE: RGBColor = RGBColor(31, 119, 180);
const GREY: RGBColor = RGBColor(120, 120, 120);

/// A quantity in the unit of its axis.
fn scaled(quantity: Quantity, number: f64) -> f64 {
    match quantity {
        Quantity::CpuTime => number / 1e3,
        Quantity::Memory | Quantity::Written | Quantity::Read => number / f64::from(1 << 20),
        Quantity::Operations => number,
    }
}

const fn unit_of(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::CpuTime => "ms",
        Quantity::Memory | Quantity::Written | Quantity::Read => "MiB",
        Quantity::Operations => "calls",
    }
}

fn measured(runs: &[TrialRun], quantity: Quantity) -> Vec<(f64, f64)> {
    let point = |run: &TrialRun| {
        let cost = scaled(quantity, quantity.of(run)? as f64);
        Some((run.size as f64, cost))
    };
    runs.iter().filter_map(point).collect()
}

/// The law's line, up to twice the largest size.
fn line(runs: &[TrialRun], quantity: Quantity) -> Vec<(f64, f64)> {
    let (Some(law), Some(last)) = (law(runs, quantity), runs.last()) else {
        return Vec::new();
    };
    let to = last.size as f64 * BEYOND;
    let sizes = (1..=POINTS).map(|step| to * f64::from(step) / f64::from(POINTS));
    let point = |size: f64| Some((size, scaled(quantity, law.predict(size)?.cost)));
    sizes.filter_map(point).collect()
}

/// A chart for a terminal: dots for runs, a line for the law.
pub(super) fn chart(name: &str, runs: &[TrialRun], quantity: Quantity) -> String {
    let (measured, line) = (measured(runs, quantity), line(runs, quantity));
    let Some((last, _)) = measured.last() else {
        return String::new();
    };
    let single = |points: &[(f64, f64)]| -> Vec<(f32, f32)> {
        let narrow = |(x, y): &(f64, f64)| (*x as f32, *y as f32);
        points.iter().map(narrow).collect()
    };
    let (dots, curve) = (single(&measured), single(&line));
    let to = (last * BEYOND) as f32;
    let mut chart = Chart::new(WIDTH, HEIGHT, 0.0, to.max(1.0));
    let dots = Shape::Points(&dots);
    let curve = Shape::Lines(&curve);
    let drawn = chart.lineplot(&dots).lineplot(&curve);
    drawn.axis();
    drawn.figures();
    let heading = format!("{name}, {}, by size of input", unit_of(quantity));
    format!("\n{}\n{drawn}\n", styled(BOLD, &heading))
}

/// Both quantities side by side.
pub(super) fn svg(name: &str, runs: &[TrialRun], unit: Unit) -> String {
    let mut text = String::new();
    // A picture in memory cannot fail to be written; what cannot be drawn is left out.
    let _ = draw(&mut text, name, runs, unit);
    text
}

type DrawResult = Result<(), Box<dyn std::error::Error>>;

fn draw(text: &mut String, name: &str, runs: &[TrialRun], unit: Unit) -> DrawResult {
    let root = SVGBackend::with_string(text, PICTURE).into_drawing_area();
    root.fill(&WHITE)?;
    let halves = root.split_evenly((1, 2));
    let quantities = [
        ("CPU time", Quantity::CpuTime),
        ("memory", Quantity::Memory),
    ];
    for (area, (what, quantity)) in halves.iter().zip(quantities) {
        let (measured, line) = (measured(runs, quantity), line(runs, quantity));
        let all = measured.iter().chain(&line);
        let (x_max, y_max) = all.fold((1.0_f64, 0.001_f64), |(x, y), point| {
            (x.max(point.0), y.max(point.1))
        });
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .caption(format!("{name}: {what}"), ("sans-serif", 16))
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..x_max, 0.0..y_max * 1.1)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_labels(5)
            .x_desc("size of input")
            .x_label_formatter(&|x| unit.size(x.round() as u64))
            .y_label_formatter(&|y| label(quantity, *y))
            .draw()?;
        chart.draw_series(LineSeries::new(line, &GREY))?;
        let dot = |point: &(f64, f64)| Circle::new(*point, 4, BLUE.filled());
        chart.draw_series(measured.iter().map(dot))?;
    }
    root.present()?;
    Ok(())
}

/// A number of an axis, with its unit.
fn label(quantity: Quantity, number: f64) -> String {
    match quantity {
        Quantity::CpuTime => time((number * 1e3).round() as u64),
        Quantity::Memory | Quantity::Written | Quantity::Read => {
            size((number * f64::from(1 << 20)).round() as u64)
        }
        Quantity::Operations => calls(number.round() as u64),
    }
}
