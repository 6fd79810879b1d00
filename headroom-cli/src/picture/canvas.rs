//! Draws panels with plotters, once for both kinds of picture.

use std::io::Cursor;

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, EmptyElement, PathElement, Rectangle, Text};
use plotters::prelude::DrawingBackend;
use plotters::series::{DashedLineSeries, LineSeries};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontStyle, IntoFont, RGBColor, ShapeStyle, TRANSPARENT, TextStyle, WHITE,
};

use super::panel::{Line, Panel, Stroke};
use super::{Part, Picture};

const WIDTH: u32 = 1_000;
const TALL: u32 = 640;
const LOW: u32 = 400;
/// For each panel more than two.
const FURTHER: u32 = 180;
/// A PNG has no finer lines than its pixels, so it has more of them.
const PNG_SCALE: u32 = 2;
/// It is drawn so much larger, and each of its pixels is the mean of so many squared.
const PNG_SMOOTHING: u32 = 2;
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(215, 215, 215);
/// Behind every second part.
const SHADE: RGBColor = RGBColor(241, 244, 248);
/// How much higher a panel is, by its reach, where the names of the parts stand in it.
const NAMES_SHARE: f64 = 0.2;

pub(super) fn svg(picture: &Picture) -> Result<Vec<u8>, String> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (WIDTH, height(picture))).into_drawing_area();
    draw(&area, picture, 1)?;
    drop(area);
    Ok(text.into_bytes())
}

pub(super) fn png(picture: &Picture) -> Result<Vec<u8>, String> {
    let size = (WIDTH * PNG_SCALE, height(picture) * PNG_SCALE);
    let drawn = (size.0 * PNG_SMOOTHING, size.1 * PNG_SMOOTHING);
    let mut fine = vec![0; (drawn.0 * drawn.1 * 3) as usize];
    let area = BitMapBackend::with_buffer(&mut fine, drawn).into_drawing_area();
    draw(&area, picture, PNG_SCALE * PNG_SMOOTHING)?;
    drop(area);
    let pixels = smoothed(&fine, drawn.0 as usize);
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&pixels)?;
        writer.finish()
    });
    written.map_err(|error| error.to_string())?;
    Ok(bytes.into_inner())
}

/// Takes the mean of every square of [`PNG_SMOOTHING`] by as many pixels.
fn smoothed(fine: &[u8], width: usize) -> Vec<u8> {
    const SIDE: usize = PNG_SMOOTHING as usize;
    let mut pixels = Vec::with_capacity(fine.len() / (SIDE * SIDE));
    let mut sums = vec![0_u16; width / SIDE * 3];
    for rows in fine.chunks_exact(width * 3 * SIDE) {
        sums.fill(0);
        for row in rows.chunks_exact(width * 3) {
            for (sum, square) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * SIDE)) {
                for pixel in square.chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, part)| *sum += u16::from(*part));
                }
            }
        }
        pixels.extend(sums.iter().map(|sum| (sum / (SIDE * SIDE) as u16) as u8));
    }
    pixels
}

fn height(picture: &Picture) -> u32 {
    match picture.panels.len() {
        0 | 1 => LOW,
        2 => TALL,
        more => TALL + (more as u32 - 2) * FURTHER,
    }
}

/// Any backend's error, in words.
fn words<E: std::fmt::Debug>(error: E) -> String {
    format!("{error:?}")
}

fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    picture: &Picture,
    scale: u32,
) -> Result<(), String> {
    let Picture { title, panels, parts } = picture;
    plotters::style::register_font(FONT, FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| "the built-in font cannot be read".to_owned())?;
    area.fill(&WHITE).map_err(words)?;
    let font = |size: u32| (FONT, f64::from(size * scale)).into_font().color(&INK);
    let (head, mut rest) = area.split_vertically(44 * scale);
    let centre = (head.get_pixel_range().0.len() / 2) as i32;
    let centred = font(20).pos(Pos::new(HPos::Center, VPos::Center));
    head.draw(&Text::new(title.clone(), (centre, 24 * scale as i32), centred)).map_err(words)?;
    let shares: u32 = panels.iter().map(|panel| panel.share).sum();
    let total = area.get_pixel_range().1.len() as u32 - 44 * scale;
    let end_s = panels.iter().map(Panel::end_s).fold(1.0, f64::max);
    for (index, panel) in panels.iter().enumerate() {
        let last = index + 1 == panels.len();
        let (here, below) = if last {
            (rest.clone(), rest)
        } else {
            rest.split_vertically(total * panel.share / shares)
        };
        let place = Place { end_s, first: index == 0, last, scale };
        draw_panel(&here, panel, parts, &place)?;
        rest = below;
    }
    area.present().map_err(words)
}

/// Where in the picture a panel stands.
struct Place {
    end_s: f64,
    first: bool,
    last: bool,
    scale: u32,
}

fn draw_panel<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    panel: &Panel,
    parts: &[Part],
    place: &Place,
) -> Result<(), String> {
    let Place { end_s, first, last, scale } = *place;
    let (unit_s, unit_name) = time_unit(end_s);
    let end = end_s / unit_s;
    let named = first && !parts.is_empty();
    let room = if named { NAMES_SHARE * (panel.reach.end - panel.reach.start) } else { 0.0 };
    let reach = panel.reach.start..panel.reach.end + room;
    let font = |size: u32| (FONT, f64::from(size * scale)).into_font().color(&INK);
    let (legend, chart_area) = area.split_vertically(26 * scale);
    draw_legend(&legend, &panel.lines, &font(14), scale)?;
    let mut chart = ChartBuilder::on(&chart_area)
        .margin_right(24 * scale)
        .margin_left(10 * scale)
        .margin_bottom((if last { 8 } else { 4 }) * scale)
        .set_left_and_bottom_label_area_size(56 * scale)
        .x_label_area_size((if last { 48 } else { 26 }) * scale)
        .build_cartesian_2d(0.0..end, reach.clone())
        .map_err(words)?;
    for part in parts.iter().step_by(2) {
        let corners = [(part.from_s / unit_s, reach.start), (part.to_s / unit_s, reach.end)];
        chart.draw_series([Rectangle::new(corners, SHADE.filled())]).map_err(words)?;
    }
    let span = panel.reach.end - panel.reach.start;
    let value_label = |value: &f64| format!("{value:.0}");
    // As many places as neighbouring marks differ in.
    let places = usize::from(end < 10.0) + usize::from(end < 1.0);
    let time_label = |time: &f64| format!("{time:.places$}");
    let mut mesh = chart.configure_mesh();
    mesh.set_all_tick_mark_size(5 * scale)
        .bold_line_style(GRID.stroke_width(scale))
        .light_line_style(TRANSPARENT)
        .axis_style(INK.stroke_width(scale))
        .x_label_style(font(13))
        .y_label_style(font(13))
        .axis_desc_style(font(14))
        .y_labels((span / 6.0) as usize + 1)
        .x_labels(11)
        .y_label_formatter(&value_label)
        .x_label_formatter(&time_label)
        .y_desc(panel.axis.as_str());
    if last {
        mesh.x_desc(unit_name);
    }
    mesh.draw().map_err(words)?;
    if named {
        let style = font(12).pos(Pos::new(HPos::Center, VPos::Top));
        for part in parts {
            let middle = f64::midpoint(part.from_s, part.to_s) / unit_s;
            for (row, name) in part.label.lines().enumerate() {
                let below = ((4 + 15 * row as u32) * scale) as i32;
                let text = Text::new(name.to_owned(), (0, below), style.clone());
                let text = EmptyElement::at((middle, reach.end)) + text;
                chart.draw_series([text]).map_err(words)?;
            }
        }
    }
    for line in &panel.lines {
        let style = style_of(line, scale);
        for stretch in line.stretches(&panel.reach) {
            let points = stretch.iter().map(|(time_s, value)| (time_s / unit_s, *value));
            if line.stroke == Stroke::Dashed {
                let dashes = DashedLineSeries::new(points, 8 * scale, 6 * scale, style);
                chart.draw_series(dashes).map_err(words)?;
            } else if scale == 1 {
                chart.draw_series(LineSeries::new(points, style)).map_err(words)?;
            } else {
                // As one path, pixels would spread into spikes and holes wherever it turns sharply.
                let pieces: Vec<(f64, f64)> = points.collect();
                let pairs = pieces.windows(2).map(|ends| PathElement::new(ends.to_vec(), style));
                chart.draw_series(pairs).map_err(words)?;
                let joint = style.stroke_width / 2;
                let joints = pieces.iter().map(|at| Circle::new(*at, joint, style.filled()));
                chart.draw_series(joints).map_err(words)?;
            }
        }
    }
    Ok(())
}

fn style_of(line: &Line, scale: u32) -> ShapeStyle {
    line.color.stroke_width(if line.stroke == Stroke::Thick { 2 * scale } else { scale })
}

/// The names of the lines in a row above the panel, where they hide nothing.
fn draw_legend<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    lines: &[Line],
    font: &TextStyle<'_>,
    scale: u32,
) -> Result<(), String> {
    const SAMPLE_WIDTH: i32 = 26;
    let scale = scale as i32;
    let style = font.clone().pos(Pos::new(HPos::Left, VPos::Center));
    let middle = 14 * scale;
    let mut left = 70 * scale;
    for line in lines {
        let shape =
            line.color.stroke_width(if line.stroke == Stroke::Thin { 2 } else { 3 } * scale as u32);
        let pieces: &[(i32, i32)] = if line.stroke == Stroke::Dashed {
            &[(0, 7), (10, 17), (20, 26)]
        } else {
            &[(0, SAMPLE_WIDTH)]
        };
        for (from, to) in pieces {
            let ends = vec![(left + from * scale, middle), (left + to * scale, middle)];
            area.draw(&PathElement::new(ends, shape)).map_err(words)?;
        }
        left += (SAMPLE_WIDTH + 8) * scale;
        area.draw(&Text::new(line.label.clone(), (left, middle), style.clone())).map_err(words)?;
        let (width, _) = area.estimate_text_size(&line.label, &style).map_err(words)?;
        left += width as i32 + 28 * scale;
    }
    Ok(())
}

/// The unit of the time axis: how many seconds it has, and its name. The axis is marked at
/// round numbers of it.
fn time_unit(end_s: f64) -> (f64, &'static str) {
    match end_s {
        ..180.0 => (1.0, "Time (s)"),
        ..10_800.0 => (60.0, "Time (min)"),
        _ => (3_600.0, "Time (h)"),
    }
}
