mod browser;
mod calendar;
mod contacts;
mod fixture;
mod tables;
mod workbook;
